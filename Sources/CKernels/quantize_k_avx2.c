// Floats to blocks of Q4_K, Q5_K and Q6_K, compiled for AVX2. The results equal those of
// quantize_k.c bit for bit.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#define NAME(type) quantize_##type##_avx2
#include "quantize_k.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
