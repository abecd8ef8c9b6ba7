// The lanes of AVX2 with FMA: 8 floats. lanes_avx512.h explains the names.
#pragma once
#include "levels.h"

#include <immintrin.h>

#define LEVEL __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline)) LEVEL

#define LANES 8
enum { lanes = LANES };
typedef __m256 floats;
typedef __m256i words;
typedef __m128i halves;
typedef __m256i lane_mask;  // -1 or 0
typedef struct {
  __m256d low, high;
} doubles;

INLINE lane_mask first_lanes(long count) {
  int limit = count < 0 ? 0 : count > lanes ? lanes : (int)count;
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(limit), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE lane_mask lanes_between(long low, long high) {
  return _mm256_andnot_si256(first_lanes(low), first_lanes(high));
}

INLINE floats load(const float *source) { return _mm256_loadu_ps(source); }
INLINE void store(float *destination, floats x) { _mm256_storeu_ps(destination, x); }
INLINE floats load_masked(const float *source, lane_mask mask, floats other) {
  return _mm256_blendv_ps(other, _mm256_maskload_ps(source, mask), _mm256_castsi256_ps(mask));
}
INLINE void store_masked(float *destination, lane_mask mask, floats x) {
  _mm256_maskstore_ps(destination, mask, x);
}

INLINE floats all(float x) { return _mm256_set1_ps(x); }
INLINE floats add(floats x, floats y) { return _mm256_add_ps(x, y); }
INLINE floats subtract(floats x, floats y) { return _mm256_sub_ps(x, y); }
INLINE floats multiply(floats x, floats y) { return _mm256_mul_ps(x, y); }
INLINE floats divide(floats x, floats y) { return _mm256_div_ps(x, y); }
INLINE floats multiply_add(floats x, floats y, floats z) { return _mm256_fmadd_ps(x, y, z); }
INLINE floats greater(floats x, floats y) { return _mm256_max_ps(x, y); }
INLINE floats lesser(floats x, floats y) { return _mm256_min_ps(x, y); }
INLINE floats nearest_integer(floats x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE floats times_power(floats x, floats power) {
  // In two factors, because the result may exceed the range of one power of two.
  words whole = _mm256_cvtps_epi32(power), half = _mm256_srai_epi32(whole, 1), bias = _mm256_set1_epi32(127);
  words rest = _mm256_sub_epi32(whole, half);
  x = _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
  return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23)));
}
INLINE floats times_normal_power(floats x, floats power) {
  words shift = _mm256_slli_epi32(_mm256_cvtps_epi32(power), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), shift));
}
INLINE floats zero_if_less(floats x, floats y, floats z) {
  return _mm256_andnot_ps(_mm256_cmp_ps(x, y, _CMP_LT_OQ), z);
}

INLINE float total(floats x) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
INLINE float greatest_lane(floats x) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}
INLINE unsigned equal_lanes(floats x, floats y) {
  return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(x, y, _CMP_EQ_OQ));
}

INLINE doubles widen(floats x) {
  return (doubles){_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
INLINE doubles all_doubles(double x) { return (doubles){_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
INLINE doubles add_doubles(doubles x, doubles y) {
  return (doubles){_mm256_add_pd(x.low, y.low), _mm256_add_pd(x.high, y.high)};
}
INLINE doubles subtract_doubles(doubles x, doubles y) {
  return (doubles){_mm256_sub_pd(x.low, y.low), _mm256_sub_pd(x.high, y.high)};
}
INLINE doubles add_squares(doubles sum, doubles x) {
  return (doubles){_mm256_fmadd_pd(x.low, x.low, sum.low), _mm256_fmadd_pd(x.high, x.high, sum.high)};
}
INLINE double total_doubles(doubles x) {
  __m256d sum = _mm256_add_pd(x.low, x.high);
  __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(sum), _mm256_extractf128_pd(sum, 1));
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}

/// Swaps the two middle quarters of 64 bits. Shuffles and packs of two registers leave the quarters
/// in the order 0 2 1 3.
INLINE words mend_order(words x) { return _mm256_permute4x64_epi64(x, 0xD8); }

INLINE void split_pairs(floats first, floats second, floats *x, floats *y) {
  *x = _mm256_castsi256_ps(mend_order(_mm256_castps_si256(_mm256_shuffle_ps(first, second, 0x88))));
  *y = _mm256_castsi256_ps(mend_order(_mm256_castps_si256(_mm256_shuffle_ps(first, second, 0xDD))));
}
INLINE void join_pairs(floats x, floats y, floats *first, floats *second) {
  floats low = _mm256_unpacklo_ps(x, y), high = _mm256_unpackhi_ps(x, y);
  *first = _mm256_permute2f128_ps(low, high, 0x20);
  *second = _mm256_permute2f128_ps(low, high, 0x31);
}

/// Rounds as `to_bf16` does, into the low half of each lane.
INLINE words round_words(floats x) {
  words bits = _mm256_castps_si256(x), cut = _mm256_srli_epi32(bits, 16);
  words odd = _mm256_and_si256(cut, _mm256_set1_epi32(1)), exponent = _mm256_set1_epi32(0x7F800000);
  words rounded =
      _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
  words small = _mm256_cmpeq_epi32(_mm256_and_si256(bits, exponent), _mm256_setzero_si256());
  words unordered = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  rounded = _mm256_blendv_epi8(rounded, _mm256_and_si256(cut, _mm256_set1_epi32(0x8000)), small);
  return _mm256_blendv_epi8(rounded, _mm256_or_si256(cut, _mm256_set1_epi32(0x40)), unordered);
}
INLINE words round_pair(floats first, floats second) {
  return mend_order(_mm256_packus_epi32(round_words(first), round_words(second)));
}
INLINE halves round_lanes(floats x) {
  words rounded = round_words(x);
  return _mm256_castsi256_si128(mend_order(_mm256_packus_epi32(rounded, rounded)));
}
INLINE words widen_halves(halves x) { return _mm256_cvtepu16_epi32(x); }
INLINE void store_halves(uint16_t *destination, halves x, long count) {
  uint16_t whole[lanes];
  if (count >= lanes) {
    _mm_storeu_si128((halves *)destination, x);
  } else if (count > 0) {
    _mm_storeu_si128((halves *)whole, x);
    memcpy(destination, whole, 2 * (size_t)count);
  }
}

INLINE words load_words(const void *source) { return _mm256_loadu_si256(source); }
INLINE void store_words(void *destination, words x) { _mm256_storeu_si256(destination, x); }
INLINE words load_some_halves(const void *source, long count) {
  uint16_t whole[2 * lanes] = {0};
  if (count >= 2 * lanes) return load_words(source);
  if (count > 0) memcpy(whole, source, 2 * (size_t)count);
  return load_words(whole);
}
INLINE words no_words(void) { return _mm256_setzero_si256(); }
INLINE words all_words(int x) { return _mm256_set1_epi32(x); }
INLINE floats even_bf16(words x) { return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16)); }
INLINE floats odd_bf16(words x) {
  return _mm256_castsi256_ps(_mm256_and_si256(x, _mm256_set1_epi32(~0xFFFF)));
}
INLINE words zip_halves(halves even, halves odd) {
  return _mm256_or_si256(widen_halves(even), _mm256_slli_epi32(widen_halves(odd), 16));
}

INLINE void transpose(words rows[lanes]) {
  words x[lanes];
  for (int i = 0; i < lanes; i += 2) {  // Within halves: 2 x 2 lanes, then 4 x 4.
    x[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
    x[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < lanes; i += 4) {
    rows[i] = _mm256_unpacklo_epi64(x[i], x[i + 2]);
    rows[i + 1] = _mm256_unpackhi_epi64(x[i], x[i + 2]);
    rows[i + 2] = _mm256_unpacklo_epi64(x[i + 1], x[i + 3]);
    rows[i + 3] = _mm256_unpackhi_epi64(x[i + 1], x[i + 3]);
  }
  for (int j = 0; j < 4; j++) {  // Then the halves.
    x[j] = _mm256_permute2x128_si256(rows[j], rows[j + 4], 0x20);
    x[j + 4] = _mm256_permute2x128_si256(rows[j], rows[j + 4], 0x31);
  }
  for (int i = 0; i < lanes; i++) rows[i] = x[i];
}
