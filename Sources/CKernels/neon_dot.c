// The kernels for NEON with dot products of bytes.
#if defined(__aarch64__)
#define INT8_PRODUCTS
#define LEVEL_TABLE neon_dot_kernels
#define LEVEL_NAME "neon-dotprod"
#include "lanes_neon.h"

#include "lanes_rows.h"

#include "lanes_exp.h"

#include "lanes_pack.h"

#include "lanes_matmul.h"

#include "lanes_dot.h"

#include "lanes_int8.h"

#include "lanes_table.h"
#endif
