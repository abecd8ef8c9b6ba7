// zstd's one-shot interface, which compresses undo records.
#pragma once
#include <zstd.h>
