// The kernels for AVX-512 with bf16 and 8-bit dot products.
#if defined(__x86_64__)
#define BF16_PRODUCTS
#define INT8_PRODUCTS
#define LEVEL_TABLE avx512_bf16_kernels
#define LEVEL_NAME "avx512-bf16"
#include "lanes_avx512.h"

#include "lanes_rows.h"

#include "lanes_exp.h"

#include "lanes_pack.h"

#include "lanes_matmul.h"

#include "lanes_dot.h"

#include "lanes_int8.h"

#include "lanes_table.h"
#endif
