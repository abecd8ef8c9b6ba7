// OpenBLAS's C interface, as Debian's libopenblas-dev installs it.
#pragma once
#include <cblas.h>
