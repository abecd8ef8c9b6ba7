// The lanes of AVX-512: 16 floats. lanes_avx2.h defines the same names for 8.
#pragma once
#include "levels.h"

#include <immintrin.h>

// BF16_PRODUCTS and INT8_PRODUCTS come together here: the processor has AVX512_BF16, AVX512_VNNI and
// AVX512_VBMI.
#if defined(BF16_PRODUCTS)
#define POWERS_BY_TABLE
#define LEVEL \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx512vbmi,f16c")))
#else
#define LEVEL __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#endif
#define INLINE static inline __attribute__((always_inline)) LEVEL

#define LANES 16
#define INT8_PRODUCTS_PAY 1
enum { lanes = LANES };
typedef __m512 floats;
typedef __m512i words;   // 32 bits a lane, or two of bf16
typedef __m256i halves;  // 16 bits a lane: bf16
typedef __mmask16 lane_mask;
typedef struct {
  __m512d low, high;
} doubles;

INLINE lane_mask first_lanes(long count) {
  return (lane_mask)(count <= 0 ? 0 : count >= lanes ? 0xFFFF : (1u << count) - 1);
}
/// The lanes low ..< high.
INLINE lane_mask lanes_between(long low, long high) {
  return first_lanes(high) & (lane_mask)~first_lanes(low);
}

INLINE floats load(const float *source) { return _mm512_loadu_ps(source); }
INLINE void store(float *destination, floats x) { _mm512_storeu_ps(destination, x); }
INLINE floats load_masked(const float *source, lane_mask mask, floats other) {
  return _mm512_mask_loadu_ps(other, mask, source);
}
INLINE void store_masked(float *destination, lane_mask mask, floats x) {
  _mm512_mask_storeu_ps(destination, mask, x);
}

INLINE floats all(float x) { return _mm512_set1_ps(x); }
INLINE floats add(floats x, floats y) { return _mm512_add_ps(x, y); }
INLINE floats subtract(floats x, floats y) { return _mm512_sub_ps(x, y); }
INLINE floats multiply(floats x, floats y) { return _mm512_mul_ps(x, y); }
INLINE floats divide(floats x, floats y) { return _mm512_div_ps(x, y); }
/// x * y + z, rounded once.
INLINE floats multiply_add(floats x, floats y, floats z) { return _mm512_fmadd_ps(x, y, z); }
/// The greater of x and y; y if either is a NaN.
INLINE floats greater(floats x, floats y) { return _mm512_max_ps(x, y); }
INLINE floats lesser(floats x, floats y) { return _mm512_min_ps(x, y); }
INLINE floats nearest_integer(floats x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/// x * 2^power for a whole power.
INLINE floats times_power(floats x, floats power) { return _mm512_scalef_ps(x, power); }
/// x * 2^power for a whole power, if x and the product are normal numbers.
INLINE floats times_normal_power(floats x, floats power) { return times_power(x, power); }
/// 0 in the lanes where x < y, else z.
INLINE floats zero_if_less(floats x, floats y, floats z) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, y, _CMP_NLT_UQ), z);
}

INLINE float total(floats x) {
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
}
INLINE float greatest_lane(floats x) {
  __m256 half = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_max_ss(quarter, _mm_movehdup_ps(quarter)));
}
/// A bit for each lane: whether x and y are equal.
INLINE unsigned equal_lanes(floats x, floats y) { return _mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ); }

INLINE doubles widen(floats x) {
  return (doubles){_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
INLINE doubles all_doubles(double x) { return (doubles){_mm512_set1_pd(x), _mm512_set1_pd(x)}; }
INLINE doubles add_doubles(doubles x, doubles y) {
  return (doubles){_mm512_add_pd(x.low, y.low), _mm512_add_pd(x.high, y.high)};
}
INLINE doubles subtract_doubles(doubles x, doubles y) {
  return (doubles){_mm512_sub_pd(x.low, y.low), _mm512_sub_pd(x.high, y.high)};
}
/// sum + x * x
INLINE doubles add_squares(doubles sum, doubles x) {
  return (doubles){_mm512_fmadd_pd(x.low, x.low, sum.low), _mm512_fmadd_pd(x.high, x.high, sum.high)};
}
INLINE double total_doubles(doubles x) {
  __m512d sum = _mm512_add_pd(x.low, x.high);
  __m256d half = _mm256_add_pd(_mm512_castpd512_pd256(sum), _mm512_extractf64x4_pd(sum, 1));
  __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}

/// x0 y0 x1 y1 ... to x and y, and back.
INLINE void split_pairs(floats first, floats second, floats *x, floats *y) {
  const words even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  *x = _mm512_permutex2var_ps(first, even, second);
  *y = _mm512_permutex2var_ps(first, _mm512_add_epi32(even, _mm512_set1_epi32(1)), second);
}
INLINE void join_pairs(floats x, floats y, floats *first, floats *second) {
  const words low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  *first = _mm512_permutex2var_ps(x, low, y);
  *second = _mm512_permutex2var_ps(x, _mm512_add_epi32(low, _mm512_set1_epi32(8)), y);
}

/// Rounds as `to_bf16` does.
INLINE halves round_lanes(floats x) {
#if defined(BF16_PRODUCTS)
  return (halves)_mm512_cvtneps_pbh(x);
#else
  words bits = _mm512_castps_si512(x), cut = _mm512_srli_epi32(bits, 16);
  words odd = _mm512_and_si512(cut, _mm512_set1_epi32(1));
  words rounded =
      _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF))), 16);
  lane_mask small = _mm512_testn_epi32_mask(bits, _mm512_set1_epi32(0x7F800000));
  rounded = _mm512_mask_and_epi32(rounded, small, cut, _mm512_set1_epi32(0x8000));
  rounded =
      _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), cut, _mm512_set1_epi32(0x40));
  return _mm512_cvtepi32_epi16(rounded);
#endif
}
/// Rounds two registers of floats to one of bf16, in their order.
INLINE words round_pair(floats first, floats second) {
#if defined(BF16_PRODUCTS)
  return (words)_mm512_cvtne2ps_pbh(second, first);
#else
  return _mm512_inserti64x4(_mm512_castsi256_si512(round_lanes(first)), round_lanes(second), 1);
#endif
}
INLINE words widen_halves(halves x) { return _mm512_cvtepu16_epi32(x); }
INLINE void store_halves(uint16_t *destination, halves x, long count) {
  if (count >= lanes)
    _mm256_storeu_si256((halves *)destination, x);
  else
    _mm256_mask_storeu_epi16(destination, first_lanes(count), x);
}

INLINE words load_words(const void *source) { return _mm512_loadu_si512(source); }
INLINE void store_words(void *destination, words x) { _mm512_storeu_si512(destination, x); }
/// Loads the first `count` elements of 16 bits, with zeros after them.
INLINE words load_some_halves(const void *source, long count) {
  return _mm512_maskz_loadu_epi16(count <= 0 ? 0 : count >= 32 ? ~0u : (1u << count) - 1, source);
}
INLINE words no_words(void) { return _mm512_setzero_si512(); }
INLINE words all_words(int x) { return _mm512_set1_epi32(x); }
/// The first and the second bf16 of every lane.
INLINE floats even_bf16(words x) { return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16)); }
INLINE floats odd_bf16(words x) {
  return _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32(~0xFFFF)));
}
/// Lanes with even | odd << 16.
INLINE words zip_halves(halves even, halves odd) {
  return _mm512_or_si512(widen_halves(even), _mm512_slli_epi32(widen_halves(odd), 16));
}

#if defined(POWERS_BY_TABLE)
/// Stores the first `count` elements of 16 bits.
INLINE void store_some_words(uint16_t *destination, words x, long count) {
  if (count >= 2 * lanes)
    store_words(destination, x);
  else
    _mm512_mask_storeu_epi16(destination, (1u << count) - 1, x);
}

/// sum + the products of the pairs of bf16.
INLINE floats add_products(floats sum, words x, words y) {
  return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y);
}
/// The lanes in which x or y is a NaN.
INLINE lane_mask unordered_lanes(floats x, floats y) { return _mm512_cmp_ps_mask(x, y, _CMP_UNORD_Q); }

/// The seven bits of the mantissa of 2^(i / 128).
static const uint8_t mantissas[128] = {
    0, 1, 1, 2, 3, 4, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12, 12, 13, 14, 15, 15,
    16, 17, 18, 19, 19, 20, 21, 22, 23, 23, 24, 25, 26, 27, 28, 28, 29, 30, 31, 32, 33, 34,
    34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54,
    55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 72, 73, 74, 75, 76, 77,
    78, 79, 80, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 96, 97, 98, 99, 100, 102, 103,
    104, 105, 107, 108, 109, 111, 112, 113, 115, 116, 117, 118, 120, 121, 123, 124, 125, 127,
};

/// The lower halves of the lanes of two registers.
static const uint16_t lower_halves[32] = {
    0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
    32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62,
};

/// The factor by which exponents are stretched before `powers_by_table`: 128 / log(2).
static const float octave = 0x1.715476p7f;

/// Two registers of 2^(x / 128 - 127) as bf16, in their order. x is rounded to a whole number: its
/// upper bits are the exponent, and the lower seven choose the mantissa. The relative error is at
/// most 6.5e-3 and its root mean square 2.2e-3, where rounding alone has 3.9e-3 and 1.7e-3. Below 0
/// and for NaN: 0.
INLINE words powers_by_table(floats first, floats second) {
  const words low = load_words(mantissas), high = load_words(mantissas + 64), seven = _mm512_set1_epi16(0x7F);
  words x = _mm512_cvtps_epi32(greater(first, all(0))), y = _mm512_cvtps_epi32(greater(second, all(0)));
  words whole = _mm512_permutex2var_epi16(x, load_words(lower_halves), y);
  words chosen = _mm512_permutex2var_epi8(low, whole, high);
  return _mm512_ternarylogic_epi32(seven, chosen, whole, 0xCA);  // Where seven: chosen, else whole.
}
#endif

/// Transposes: lane j of row i goes to lane i of row j.
INLINE void transpose(words rows[lanes]) {
  words x[lanes];
  for (int i = 0; i < lanes; i += 2) {  // Within quarters: 2 x 2 lanes ...
    x[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    x[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < lanes;
       i += 4) {  // ... then 4 x 4: row i + j of quarter q holds lane 4q + j of rows i ... i + 3
    rows[i] = _mm512_unpacklo_epi64(x[i], x[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(x[i], x[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(x[i + 1], x[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(x[i + 1], x[i + 3]);
  }
  for (int j = 0; j < 4; j++) {  // Then the quarters, 4 x 4 as well.
    words a = _mm512_shuffle_i32x4(rows[j], rows[j + 4], 0x88),
          b = _mm512_shuffle_i32x4(rows[j], rows[j + 4], 0xDD);
    words c = _mm512_shuffle_i32x4(rows[j + 8], rows[j + 12], 0x88);
    words d = _mm512_shuffle_i32x4(rows[j + 8], rows[j + 12], 0xDD);
    x[j] = _mm512_shuffle_i32x4(a, c, 0x88);
    x[j + 8] = _mm512_shuffle_i32x4(a, c, 0xDD);
    x[j + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
    x[j + 12] = _mm512_shuffle_i32x4(b, d, 0xDD);
  }
  for (int i = 0; i < lanes; i++) rows[i] = x[i];
}

// What only 8-bit products need.

/// A load of `a` takes this many words. repeat_word puts one of them into every lane.
enum { loaded_words = 1 };
INLINE words load_repeatable(const void *source) {
  int word;
  memcpy(&word, source, 4);
  return all_words(word);
}
INLINE words repeat_word(words x, int lane) {
  (void)lane;
  return x;
}

INLINE floats magnitudes(floats x) { return _mm512_abs_ps(x); }
/// Signed integers, rounded to nearest even.
INLINE words round_to_words(floats x) { return _mm512_cvtps_epi32(x); }
INLINE floats words_to_floats(words x) { return _mm512_cvtepi32_ps(x); }
INLINE words add_words(words x, words y) { return _mm512_add_epi32(x, y); }
INLINE int total_words(words x) { return _mm512_reduce_add_epi32(x); }
/// Stores the low byte of every lane.
INLINE void store_bytes(int8_t *destination, words x) {
  _mm_storeu_si128((__m128i *)destination, _mm512_cvtepi32_epi8(x));
}
#if defined(BF16_PRODUCTS)
INLINE float read_half(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  return _cvtsh_ss(bits);
}
/// Adds the products of the four bytes of every lane: x - byte_offset, where x is unsigned, times y.
enum { byte_offset = 0 };
INLINE words dot_bytes(words sum, words x, words y) { return _mm512_dpbusd_epi32(sum, x, y); }
#endif
