// zstd's one-shot interface: undo records are compressed with it.
#pragma once
#include <zstd.h>
