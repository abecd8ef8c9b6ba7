// Blocks of quantised weights to floats, with AVX2. The results equal those of unpack.c bit for
// bit, which also draws the blocks.
#include "levels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LEVEL __attribute__((target("avx2,f16c")))
#define INLINE static inline __attribute__((always_inline)) LEVEL

INLINE float half_at(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
}

INLINE __m128i load16(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }
INLINE __m128i low_nibbles(__m128i x) { return _mm_and_si128(x, _mm_set1_epi8(15)); }
INLINE __m128i high_nibbles(__m128i x) { return low_nibbles(_mm_srli_epi16(x, 4)); }

/// 8 signed bytes as floats.
INLINE __m256 widen8(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)); }

/// Stores 16 signed bytes times a step.
INLINE void put_scaled(float *out, __m128i bytes, float step) {
  __m256 steps = _mm256_set1_ps(step);
  _mm256_storeu_ps(out, _mm256_mul_ps(steps, widen8(bytes)));
  _mm256_storeu_ps(out + 8, _mm256_mul_ps(steps, widen8(_mm_unpackhi_epi64(bytes, bytes))));
}

/// Stores 16 signed bytes times a step, less a base.
INLINE void put_shifted(float *out, __m128i bytes, float step, float base) {
  __m256 steps = _mm256_set1_ps(step), bases = _mm256_set1_ps(base);
  _mm256_storeu_ps(out, _mm256_sub_ps(_mm256_mul_ps(steps, widen8(bytes)), bases));
  __m256 second = _mm256_mul_ps(steps, widen8(_mm_unpackhi_epi64(bytes, bytes)));
  _mm256_storeu_ps(out + 8, _mm256_sub_ps(second, bases));
}

void unpack_f32_avx2(const void *source, float *destination, size_t count) {
  memcpy(destination, source, count * 4);
}

LEVEL void unpack_f16_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *bytes = source;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(destination + i, _mm256_cvtph_ps(load16(bytes + 2 * i)));
  for (; i < count; i++) destination[i] = half_at(bytes + 2 * i);
}

LEVEL void unpack_bf16_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *bytes = source;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i words = _mm256_slli_epi32(_mm256_cvtepu16_epi32(load16(bytes + 2 * i)), 16);
    _mm256_storeu_si256((__m256i *)(destination + i), words);
  }
  unpack_bf16(bytes + 2 * i, destination + i, count - i);
}

LEVEL void unpack_q4_0_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  const __m128i eight = _mm_set1_epi8(8);
  for (size_t i = 0; i < count; i += 32, block += 18) {
    float d = half_at(block);
    __m128i quants = load16(block + 2);
    put_scaled(destination + i, _mm_sub_epi8(low_nibbles(quants), eight), d);
    put_scaled(destination + i + 16, _mm_sub_epi8(high_nibbles(quants), eight), d);
  }
}

LEVEL void unpack_q4_1_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 20) {
    float d = half_at(block), m = half_at(block + 2);
    __m128i quants = load16(block + 4);
    put_shifted(destination + i, low_nibbles(quants), d, -m);
    put_shifted(destination + i + 16, high_nibbles(quants), d, -m);
  }
}

/// A byte for each of 16 bits: 16 if the bit is set, else 0.
INLINE __m128i fifth_bits(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  const __m128i place = _mm_set1_epi64x((long long)0x8040201008040201u);
  const __m128i spread = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  __m128i repeated = _mm_and_si128(_mm_shuffle_epi8(_mm_cvtsi32_si128(bits), spread), place);
  return _mm_and_si128(_mm_cmpeq_epi8(repeated, place), _mm_set1_epi8(16));
}

LEVEL void unpack_q5_0_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  const __m128i sixteen = _mm_set1_epi8(16);
  for (size_t i = 0; i < count; i += 32, block += 22) {
    float d = half_at(block);
    __m128i quants = load16(block + 6);
    __m128i low = _mm_or_si128(low_nibbles(quants), fifth_bits(block + 2));
    __m128i high = _mm_or_si128(high_nibbles(quants), fifth_bits(block + 4));
    put_scaled(destination + i, _mm_sub_epi8(low, sixteen), d);
    put_scaled(destination + i + 16, _mm_sub_epi8(high, sixteen), d);
  }
}

LEVEL void unpack_q5_1_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 24) {
    float d = half_at(block), m = half_at(block + 2);
    __m128i quants = load16(block + 8);
    put_shifted(destination + i, _mm_or_si128(low_nibbles(quants), fifth_bits(block + 4)), d, -m);
    put_shifted(destination + i + 16, _mm_or_si128(high_nibbles(quants), fifth_bits(block + 6)), d, -m);
  }
}

LEVEL void unpack_q8_0_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 34) {
    float d = half_at(block);
    put_scaled(destination + i, load16(block + 2), d);
    put_scaled(destination + i + 16, load16(block + 18), d);
  }
}

LEVEL void unpack_q2_k_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 84) {
    float d = half_at(block + 80), minimum = half_at(block + 82), *out = destination + i;
    for (int number = 0; number < 16; number++, out += 16) {
      __m128i quants = load16(block + 16 + number / 8 * 32 + number % 2 * 16);
      quants = _mm_and_si128(_mm_srli_epi16(quants, number / 2 % 4 * 2), _mm_set1_epi8(3));
      put_shifted(out, quants, d * (float)(block[number] & 15), minimum * (float)(block[number] >> 4));
    }
  }
}

LEVEL void unpack_q3_k_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  const __m128i four = _mm_set1_epi8(4);
  for (size_t i = 0; i < count; i += 256, block += 110) {
    const uint8_t *packed = block + 96;
    float d = half_at(block + 108), *out = destination + i;
    for (int number = 0; number < 16; number++, out += 16) {
      int low = number < 8 ? packed[number] & 15 : packed[number - 8] >> 4;
      int top = packed[8 + number % 4] >> (number / 4 * 2) & 3;
      __m128i quants = load16(block + 32 + number / 8 * 32 + number % 2 * 16);
      quants = _mm_and_si128(_mm_srli_epi16(quants, number / 2 % 4 * 2), _mm_set1_epi8(3));
      __m128i unset =
          _mm_andnot_si128(load16(block + number % 2 * 16), _mm_set1_epi8((char)(1 << number / 2)));
      __m128i is_set = _mm_cmpeq_epi8(unset, _mm_setzero_si128());
      quants = _mm_sub_epi8(quants, _mm_andnot_si128(is_set, four));
      put_scaled(out, quants, d * (float)((low | top << 4) - 32));
    }
  }
}

/// The eight scales of Q4_K and Q5_K, then the eight minima, a byte each.
INLINE void scales_and_minima(const uint8_t *packed, uint8_t *scales) {
  uint32_t words[3], result[4];
  memcpy(words, packed, 12);
  result[0] = words[0] & 0x3F3F3F3F;
  result[2] = words[1] & 0x3F3F3F3F;
  result[1] = (words[2] & 0x0F0F0F0F) | (words[0] >> 6 & 0x03030303) << 4;
  result[3] = (words[2] >> 4 & 0x0F0F0F0F) | (words[1] >> 6 & 0x03030303) << 4;
  memcpy(scales, result, 16);
}

LEVEL void unpack_q4_k_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 144) {
    float d = half_at(block), dmin = half_at(block + 2), *out = destination + i;
    uint8_t scales[16];
    scales_and_minima(block + 4, scales);
    for (int group = 0; group < 8; group++) {
      float step = d * (float)scales[group], base = dmin * (float)scales[group + 8];
      for (int part = 0; part < 2; part++, out += 16) {
        __m128i quants = load16(block + 16 + group / 2 * 32 + part * 16);
        put_shifted(out, group % 2 ? high_nibbles(quants) : low_nibbles(quants), step, base);
      }
    }
  }
}

LEVEL void unpack_q5_k_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 176) {
    float d = half_at(block), dmin = half_at(block + 2), *out = destination + i;
    uint8_t scales[16];
    scales_and_minima(block + 4, scales);
    for (int group = 0; group < 8; group++) {
      float step = d * (float)scales[group], base = dmin * (float)scales[group + 8];
      for (int part = 0; part < 2; part++, out += 16) {
        __m128i quants = load16(block + 48 + group / 2 * 32 + part * 16);
        quants = group % 2 ? high_nibbles(quants) : low_nibbles(quants);
        __m128i high = _mm_srl_epi16(load16(block + 16 + part * 16), _mm_cvtsi32_si128(group));
        high = _mm_slli_epi16(_mm_and_si128(high, _mm_set1_epi8(1)), 4);
        put_shifted(out, _mm_or_si128(quants, high), step, base);
      }
    }
  }
}

LEVEL void unpack_q6_k_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 210) {
    float d = half_at(block + 208), *out = destination + i;
    // Each half of the block has 8 runs of 16 numbers: the first 4 in the low nibbles of 64 bytes,
    // the others in the high nibbles.
    for (int number = 0; number < 16; number++, out += 16) {
      __m128i quants = load16(block + number / 8 * 64 + number % 4 * 16);
      quants = number / 4 % 2 ? high_nibbles(quants) : low_nibbles(quants);
      __m128i high = load16(block + 128 + number / 8 * 32 + number % 2 * 16);
      high = _mm_and_si128(_mm_srl_epi16(high, _mm_cvtsi32_si128(number / 2 % 4 * 2)), _mm_set1_epi8(3));
      quants = _mm_or_si128(quants, _mm_slli_epi16(high, 4));
      put_scaled(out, _mm_sub_epi8(quants, _mm_set1_epi8(32)), d * (float)(int8_t)block[192 + number]);
    }
  }
}

/// The unevenly spaced levels that 16 nibbles select.
INLINE __m128i uneven(__m128i nibbles) {
  const __m128i levels =
      _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
  return _mm_shuffle_epi8(levels, nibbles);
}

LEVEL void unpack_iq4_nl_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 18) {
    float d = half_at(block);
    __m128i quants = load16(block + 2);
    put_scaled(destination + i, uneven(low_nibbles(quants)), d);
    put_scaled(destination + i + 16, uneven(high_nibbles(quants)), d);
  }
}

LEVEL void unpack_iq4_xs_avx2(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 136) {
    float d = half_at(block), *out = destination + i;
    uint16_t high;
    memcpy(&high, block + 2, 2);
    for (int group = 0; group < 8; group++, out += 32) {
      int low = block[4 + group / 2] >> (group % 2 * 4) & 15;
      float step = d * (float)((low | (high >> (2 * group) & 3) << 4) - 32);
      __m128i quants = load16(block + 8 + group * 16);
      put_scaled(out, uneven(low_nibbles(quants)), step);
      put_scaled(out + 16, uneven(high_nibbles(quants)), step);
    }
  }
}

/// Stores 8 signed bytes times a step.
INLINE void put_run(float *out, uint64_t run, float step) {
  __m256 numbers = widen8(_mm_cvtsi64_si128((long long)run));
  _mm256_storeu_ps(out, _mm256_mul_ps(_mm256_set1_ps(step), numbers));
}

/// The levels that 8 bytes below 16 select.
INLINE uint64_t look_up(const int8_t levels[16], uint64_t codes) {
  __m128i indices = _mm_cvtsi64_si128((long long)codes);
  return (uint64_t)_mm_cvtsi128_si64(_mm_shuffle_epi8(load16((const uint8_t *)levels), indices));
}

#define UNPACK(type) LEVEL void unpack_##type##_avx2
#include "unpack_runs.h"
#endif
