// The kernels for AVX2, FMA and F16C.
#if defined(__x86_64__)
#define LEVEL_TABLE avx2_kernels
#define LEVEL_NAME "avx2"
#include "lanes_avx2.h"

#include "lanes_rows.h"

#include "lanes_exp.h"

#include "lanes_pack.h"

#include "lanes_matmul.h"

#include "lanes_dot.h"

#include "lanes_table.h"
#endif
