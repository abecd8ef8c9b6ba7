// The kernels for NEON with products of bf16 and 8-bit matrices.
#if defined(__aarch64__)
#define BF16_PRODUCTS
#define INT8_PRODUCTS
#define LEVEL_TABLE neon_bf16_kernels
#define LEVEL_NAME "neon-bf16"
#include "lanes_neon.h"

#include "lanes_rows.h"

#include "lanes_exp.h"

#include "lanes_pack.h"

#include "lanes_squares.h"

#include "lanes_matmul.h"

#include "lanes_dot.h"

#include "lanes_int8.h"

#include "lanes_table.h"
#endif
