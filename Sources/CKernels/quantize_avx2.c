// Floats to stored blocks, compiled for AVX2 and F16C. The results equal those of quantize.c bit
// for bit.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,f16c")
#endif

static inline uint16_t round_f16(float value) {
  return (uint16_t)_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT));
}

#define ROUND_F16(value) round_f16(value)
#define NAME(type) quantize_##type##_avx2
#include "quantize_rows.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
