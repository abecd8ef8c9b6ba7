// Floats to blocks of Q4_K, Q5_K and Q6_K: the portable kernels.
#define NAME(type) quantize_##type
#include "quantize_k.h"
