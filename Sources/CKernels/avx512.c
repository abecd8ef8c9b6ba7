// The kernels for AVX-512.
#if defined(__x86_64__)
#define LEVEL_TABLE avx512_kernels
#define LEVEL_NAME "avx512"
#include "lanes_avx512.h"

#include "lanes_rows.h"

#include "lanes_exp.h"

#include "lanes_pack.h"

#include "lanes_matmul.h"

#include "lanes_dot.h"

#include "lanes_table.h"
#endif
