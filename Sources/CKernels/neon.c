// The kernels for NEON. Every 64-bit Arm processor has it.
#if defined(__aarch64__)
#define LEVEL_TABLE neon_kernels
#define LEVEL_NAME "neon"
#include "lanes_neon.h"

#include "lanes_rows.h"

#include "lanes_exp.h"

#include "lanes_pack.h"

#include "lanes_matmul.h"

#include "lanes_dot.h"

#include "lanes_table.h"
#endif
