// Blocks of quantised weights to floats, for types whose numbers are small integers times a step:
// the code that unpack.c, unpack_avx2.c and unpack_neon.c share. The pictures are as in unpack.c; in fields that
// are not whole bytes, they count bits from the lowest: "signs 4 * 7, scale 4" are 32 bits.
//
// A run is 8 numbers as the signed bytes of a word, the first in the lowest byte. All bytes are
// computed at once, by arithmetic on the word that never carries from one byte into the next.
//
// The file that includes this one defines UNPACK, which names the functions of a level, half_at and
//
//     void put_run(float *out, uint64_t run, float step)         stores the numbers times a step
//     uint64_t look_up(const int8_t levels[16], uint64_t codes)  a level for each byte, below 16
#pragma once
#include "iq_codebooks.h"
#include "levels.h"

/// A run of equal numbers.
#define EACH(byte) ((byte) * (uint64_t)0x0101010101010101)

static inline uint16_t u16_at(const uint8_t *bytes) {
  uint16_t value;
  memcpy(&value, bytes, 2);
  return value;
}

static inline uint32_t u32_at(const uint8_t *bytes) {
  uint32_t value;
  memcpy(&value, bytes, 4);
  return value;
}

static inline uint64_t u64_at(const uint8_t *bytes) {
  uint64_t value;
  memcpy(&value, bytes, 8);
  return value;
}

/// 8 bits to a byte each.
static inline uint64_t spread_bits(uint8_t bits) {
  uint64_t run = bits;
  run = (run | run << 28) & 0x0000000F0000000F;
  run = (run | run << 14) & 0x0003000300030003;
  return (run | run << 7) & EACH(1);
}

/// 8 codes of 2 bits to a byte each.
static inline uint64_t spread_pairs(uint16_t pairs) {
  uint64_t run = pairs;
  run = (run | run << 24) & 0x000000FF000000FF;
  run = (run | run << 12) & 0x000F000F000F000F;
  return (run | run << 6) & EACH(3);
}

/// 8 nibbles to a byte each.
static inline uint64_t spread_nibbles(uint32_t nibbles) {
  uint64_t run = nibbles;
  run = (run | run << 16) & 0x0000FFFF0000FFFF;
  run = (run | run << 8) & 0x00FF00FF00FF00FF;
  return (run | run << 4) & EACH(15);
}

/// Numbers from 0 to 127, less an amount of at most 128.
static inline uint64_t lower(uint64_t run, uint8_t amount) {
  return ((run | EACH(128)) - EACH(amount)) ^ EACH(128);
}

/// Positive numbers, negative where a sign bit is set.
static inline uint64_t with_signs(uint64_t run, uint8_t signs) {
  uint64_t ones = spread_bits(signs);
  return (run ^ ones * 255) + ones;
}

/// 7 sign bits, and an eighth that makes their sum even.
static inline uint8_t even_signs(uint32_t bits) {
  bits &= 127;
  return (uint8_t)(bits | (uint32_t)__builtin_parity(bits) << 7);
}

// | d f16 | 16 bytes: a bit each, set for d and clear for -d |
UNPACK(q1_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 128, block += 18) {
    float d = half_at(block), *out = destination + start;
    for (int i = 0; i < 16; i++) put_run(out + 8 * i, lower(spread_bits(block[2 + i]) * 2, 1), d);
  }
}

// | d f16 | 16 bytes: 2 bits each, less 1 |
UNPACK(q2_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 64, block += 18) {
    float d = half_at(block), *out = destination + start;
    for (int i = 0; i < 8; i++) {
      put_run(out + 8 * i, lower(spread_pairs(u16_at(block + 2 + 2 * i)), 1), d);
    }
  }
}

/// One ternary digit of each byte, less 1. A byte is a fraction of 256, 0.abcde in base 3. Times a
/// power of 3, modulo 256, it is 0.bcde, 0.cde and so on; times 3 again, its digit is whole.
static inline uint64_t ternary(uint64_t bytes, unsigned power) {
  const uint64_t even_bytes = 0x00FF00FF00FF00FF;
  uint64_t even = (bytes & even_bytes) * power & even_bytes;
  uint64_t odd = (bytes >> 8 & even_bytes) * power & even_bytes;
  return lower((even * 3 >> 8 & even_bytes) | (odd * 3 & ~even_bytes), 1);
}

// | 32 bytes: 5 digits each | 16 bytes: 5 digits each | 4 bytes: 4 digits each | d f16 |
// The first digits of all bytes of a part come first, then the second ones, and so on.
UNPACK(tq1_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 54) {
    float d = half_at(block + 52), *out = destination + start;
    for (unsigned power = 1; power <= 81; power *= 3) {
      for (int i = 0; i < 32; i += 8, out += 8) put_run(out, ternary(u64_at(block + i), power), d);
    }
    for (unsigned power = 1; power <= 81; power *= 3) {
      for (int i = 32; i < 48; i += 8, out += 8) put_run(out, ternary(u64_at(block + i), power), d);
    }
    uint32_t last = u32_at(block + 48);
    for (unsigned power = 1; power <= 9; power *= 9, out += 8) {
      put_run(out, (uint32_t)ternary(last, power) | ternary(last, 3 * power) << 32, d);
    }
  }
}

// | 64 bytes: 2 bits each, less 1 | d f16 |
UNPACK(tq2_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 66) {
    float d = half_at(block + 64), *out = destination + start;
    for (int half = 0; half < 64; half += 32) {
      for (int shift = 0; shift < 8; shift += 2) {
        for (int i = 0; i < 32; i += 8, out += 8) {
          put_run(out, lower(u64_at(block + half + i) >> shift & EACH(3), 1), d);
        }
      }
    }
  }
}

/// Floats of 4 bits (E2M1), doubled.
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// Half of 2^(exponent - 127). 255 (NaN) is read as 2^128, as in llama.cpp.
static inline float half_e8m0(uint8_t exponent) {
  return float_of(exponent < 2 ? (uint32_t)0x00200000 << exponent : (uint32_t)(exponent - 1) << 23);
}

/// Half of a float of 4 bits exponent and 3 bits fraction. The top bit is ignored, and 127 (NaN) is
/// read as 0, as in llama.cpp.
static inline float half_e4m3(uint8_t byte) {
  int exponent = byte >> 3 & 15, fraction = byte & 7;
  if (byte == 127) return 0;
  if (exponent == 0) return (float)fraction * 0x1p-10f;
  return (float)((8 + fraction) << exponent) * 0x1p-11f;
}

// | scale E8M0 | 16 bytes: E2M1, element i in the low nibble of byte i, i + 16 in the high one |
UNPACK(mxfp4)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 17) {
    float step = half_e8m0(block[0]), *out = destination + start;
    for (int shift = 0; shift < 8; shift += 4) {
      for (int i = 0; i < 16; i += 8, out += 8) {
        put_run(out, look_up(e2m1_doubled, u64_at(block + 1 + i) >> shift & EACH(15)), step);
      }
    }
  }
}

// | 4 scales E4M3 | 4 groups of 16: 8 bytes E2M1, i in the low nibble, i + 8 in the high one |
UNPACK(nvfp4)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 64, block += 36) {
    float *out = destination + start;
    for (int group = 0; group < 4; group++) {
      float step = half_e4m3(block[group]);
      uint64_t codes = u64_at(block + 4 + 8 * group);
      for (int shift = 0; shift < 8; shift += 4, out += 8) {
        put_run(out, look_up(e2m1_doubled, codes >> shift & EACH(15)), step);
      }
    }
  }
}

/// 8 times the numbers -1, 0 and 1 of an entry, plus or minus 1.
static inline uint64_t iq1_run(int index, int is_minus) {
  return lower(spread_pairs(iq1_codebook[index]) * 8, is_minus ? 9 : 7);
}

/// The step of iq1_run.
static inline float iq1_step(float d, int scale) {
  return d * (float)(2 * (scale & 7) + 1) * 0.125f;
}

// | d f16 | 32 bytes: low bits of indices | 8 groups, u16: high bits 4 * 3, scale 3, minus 1 |
UNPACK(iq1_s)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 50) {
    float d = half_at(block), *out = destination + start;
    for (int group = 0; group < 8; group++) {
      const uint8_t *low = block + 2 + 4 * group;
      int rest = u16_at(block + 34 + 2 * group);
      float step = iq1_step(d, rest >> 12);
      for (int i = 0; i < 4; i++, out += 8) {
        put_run(out, iq1_run(low[i] | (rest >> 3 * i & 7) << 8, rest >> 15), step);
      }
    }
  }
}

// | 32 bytes: low bits of indices | 32 nibbles: high bits 3, minus 1 | 4 u16: scales 4 * 3, d 4 |
UNPACK(iq1_m)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 56) {
    const uint8_t *high = block + 32, *scales = block + 48;
    uint8_t d_bytes[2] = {(uint8_t)(scales[1] >> 4 | (scales[3] & 0xF0)),
                          (uint8_t)(scales[5] >> 4 | (scales[7] & 0xF0))};
    float d = half_at(d_bytes), *out = destination + start;
    for (int group = 0; group < 16; group++) {
      float step = iq1_step(d, u16_at(scales + group / 4 * 2) >> group % 4 * 3);
      for (int i = 0; i < 2; i++, out += 8) {
        int rest = high[group] >> 4 * i;
        put_run(out, iq1_run(block[2 * group + i] | (rest & 7) << 8, rest & 8), step);
      }
    }
  }
}

/// The numbers of an entry of the IQ2 types: 8, 25 and 43 for the codes 0, 1 and 2.
static inline uint64_t iq2_run(uint16_t entry, uint8_t signs) {
  uint64_t codes = spread_pairs(entry);
  return with_signs(codes * 17 + (codes >> 1 & EACH(1)) + EACH(8), signs);
}

/// The step of iq2_run.
static inline float iq2_step(float d, uint32_t scale) { return d * (0.5f + (float)scale) * 0.25f; }

// | d f16 | 8 groups of 32: 4 indices u8, a u32: signs 4 * 7, scale 4 |
UNPACK(iq2_xxs)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 66) {
    float d = half_at(block), *out = destination + start;
    for (int group = 0; group < 8; group++) {
      const uint8_t *indices = block + 2 + 8 * group;
      uint32_t rest = u32_at(indices + 4);
      float step = iq2_step(d, rest >> 28);
      for (int i = 0; i < 4; i++, out += 8) {
        put_run(out, iq2_run(iq2_xxs_codebook[indices[i]], even_signs(rest >> 7 * i)), step);
      }
    }
  }
}

// | d f16 | 32 u16: index 9, signs 7 | scales 16 * 4 |
UNPACK(iq2_xs)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 74) {
    float d = half_at(block), *out = destination + start;
    for (int group = 0; group < 16; group++) {
      float step = iq2_step(d, block[66 + group / 2] >> group % 2 * 4 & 15);
      for (int i = 0; i < 2; i++, out += 8) {
        uint16_t bits = u16_at(block + 2 + 4 * group + 2 * i);
        put_run(out, iq2_run(iq2_xs_codebook[bits & 511], even_signs(bits >> 9)), step);
      }
    }
  }
}

// | d f16 | 32 bytes: low bits of indices | 32 bytes: signs | high bits 32 * 2 | scales 16 * 4 |
UNPACK(iq2_s)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 82) {
    const uint8_t *low = block + 2, *signs = block + 34, *high = block + 66, *scales = block + 74;
    float d = half_at(block), *out = destination + start;
    for (int i = 0; i < 32; i++, out += 8) {
      int index = low[i] | (high[i / 4] >> i % 4 * 2 & 3) << 8;
      float step = iq2_step(d, scales[i / 4] >> i / 2 % 2 * 4 & 15);
      put_run(out, iq2_run(iq2_s_codebook[index], signs[i]), step);
    }
  }
}

// | d f16 | 64 indices u8 | 8 groups of 32, u32: signs 4 * 7, scale 4 |
// The numbers of the codes 0 to 7 are 4, 12, 20, 28, 36, 44, 52 and 62.
UNPACK(iq3_xxs)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 98) {
    float d = half_at(block), *out = destination + start;
    for (int i = 0; i < 32; i++, out += 8) {
      const uint8_t *indices = block + 2 + 2 * i;
      uint32_t rest = u32_at(block + 66 + i / 4 * 4), second = iq3_xxs_codebook[indices[1]];
      uint64_t codes = spread_nibbles(iq3_xxs_codebook[indices[0]] | second << 16);
      uint64_t sevens = codes & codes >> 1 & codes >> 2 & EACH(1);
      uint64_t run = with_signs(codes * 8 + sevens * 2 + EACH(4), even_signs(rest >> i % 4 * 7));
      put_run(out, run, d * (0.5f + (float)(rest >> 28)) * 0.5f);
    }
  }
}

// | d f16 | 64 bytes: low bits of indices | high bits 64 * 1 | 32 bytes: signs | scales 8 * 4 |
// The numbers of the codes 0 to 7 are the odd ones from 1 to 15.
UNPACK(iq3_s)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 110) {
    const uint8_t *signs = block + 74, *scales = block + 106;
    float d = half_at(block), *out = destination + start;
    for (int i = 0; i < 32; i++, out += 8) {
      const uint8_t *low = block + 2 + 2 * i;
      int high = block[66 + i / 4] >> i % 4 * 2;
      uint32_t second = iq3_s_codebook[low[1] | (high & 2) << 7];
      uint64_t codes = spread_nibbles(iq3_s_codebook[low[0] | (high & 1) << 8] | second << 16);
      int scale = scales[i / 8] >> i / 4 % 2 * 4 & 15;
      put_run(out, with_signs(codes * 2 + EACH(1), signs[i]), d * (float)(1 + 2 * scale));
    }
  }
}
