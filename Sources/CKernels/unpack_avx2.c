// Blocks of quantised weights to floats, with AVX2. unpack_lanes.h explains the names.
#include "levels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LEVEL __attribute__((target("avx2,f16c")))
#define INLINE static inline __attribute__((always_inline)) LEVEL

typedef __m128i bytes;

INLINE float half_at(const uint8_t *from) {
  uint16_t bits;
  memcpy(&bits, from, 2);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
}

INLINE bytes load16(const uint8_t *from) { return _mm_loadu_si128((const __m128i *)from); }
INLINE bytes low_nibbles(bytes x) { return _mm_and_si128(x, _mm_set1_epi8(15)); }
INLINE bytes high_nibbles(bytes x) { return low_nibbles(_mm_srli_epi16(x, 4)); }
INLINE bytes field(bytes x, int shift, int mask) {
  return _mm_and_si128(_mm_srl_epi16(x, _mm_cvtsi32_si128(shift)), _mm_set1_epi8((char)mask));
}
INLINE bytes raised(bytes x, int shift) { return _mm_slli_epi16(x, shift); }
INLINE bytes either(bytes x, bytes y) { return _mm_or_si128(x, y); }
INLINE bytes less(bytes x, int amount) { return _mm_sub_epi8(x, _mm_set1_epi8((char)amount)); }
INLINE bytes select16(const int8_t levels[16], bytes indices) {
  return _mm_shuffle_epi8(load16((const uint8_t *)levels), indices);
}

/// 8 signed bytes as floats.
INLINE __m256 widen8(bytes x) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x)); }

/// Stores 16 signed bytes times a step.
INLINE void put_scaled(float *out, bytes x, float step) {
  __m256 steps = _mm256_set1_ps(step);
  _mm256_storeu_ps(out, _mm256_mul_ps(steps, widen8(x)));
  _mm256_storeu_ps(out + 8, _mm256_mul_ps(steps, widen8(_mm_unpackhi_epi64(x, x))));
}

/// Stores 8 signed bytes times a step, and a base with a sign. A NaN of the base keeps its own.
INLINE void put_line8(float *out, bytes x, __m256 steps, __m256 bases, const int sign) {
  __m256 scaled = _mm256_mul_ps(steps, widen8(x));
  _mm256_storeu_ps(out, sign > 0 ? _mm256_add_ps(scaled, bases) : _mm256_sub_ps(scaled, bases));
}
INLINE void put_line(float *out, bytes x, float step, float base, const int sign) {
  __m256 steps = _mm256_set1_ps(step), bases = _mm256_set1_ps(base);
  put_line8(out, x, steps, bases, sign);
  put_line8(out + 8, _mm_unpackhi_epi64(x, x), steps, bases, sign);
}

/// A byte for each of 16 bits: 16 if the bit is set, else 0.
INLINE bytes fifth_bits(const uint8_t *from) {
  uint16_t bits;
  memcpy(&bits, from, 2);
  const bytes place = _mm_set1_epi64x((long long)0x8040201008040201u);
  const bytes spread = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  bytes repeated = _mm_and_si128(_mm_shuffle_epi8(_mm_cvtsi32_si128(bits), spread), place);
  return _mm_and_si128(_mm_cmpeq_epi8(repeated, place), _mm_set1_epi8(16));
}

/// Stores 8 signed bytes times a step.
INLINE void put_run(float *out, uint64_t run, float step) {
  __m256 numbers = widen8(_mm_cvtsi64_si128((long long)run));
  _mm256_storeu_ps(out, _mm256_mul_ps(_mm256_set1_ps(step), numbers));
}

/// The levels that 8 bytes below 16 select.
INLINE uint64_t look_up(const int8_t levels[16], uint64_t codes) {
  return (uint64_t)_mm_cvtsi128_si64(select16(levels, _mm_cvtsi64_si128((long long)codes)));
}

#define UNPACK(type) LEVEL void unpack_##type##_avx2
#include "unpack_lanes.h"

UNPACK(f32)(const void *source, float *destination, size_t count) {
  memcpy(destination, source, count * 4);
}

UNPACK(f16)(const void *source, float *destination, size_t count) {
  const uint8_t *from = source;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(destination + i, _mm256_cvtph_ps(load16(from + 2 * i)));
  for (; i < count; i++) destination[i] = half_at(from + 2 * i);
}

UNPACK(bf16)(const void *source, float *destination, size_t count) {
  const uint8_t *from = source;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i words = _mm256_slli_epi32(_mm256_cvtepu16_epi32(load16(from + 2 * i)), 16);
    _mm256_storeu_si256((__m256i *)(destination + i), words);
  }
  unpack_bf16(from + 2 * i, destination + i, count - i);
}
#endif
