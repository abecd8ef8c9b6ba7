// Blocks of Q4_K, Q5_K and Q6_K: the portable level.
#define NAME(type) quantize_##type
#include "quantize_k.h"
