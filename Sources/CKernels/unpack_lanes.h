// Blocks of quantised weights to floats, 16 bytes at a time: the code that unpack_avx2.c and
// unpack_neon.c share. The results equal those of unpack.c bit for bit, which also draws the blocks.
//
// The file that includes this one defines UNPACK, which names the functions of a level, `bytes` (16
// of them), and
//
//     float half_at(const uint8_t *bytes)                  reads an f16
//     bytes load16(const uint8_t *from)
//     bytes low_nibbles(bytes x), high_nibbles(bytes x)
//     bytes field(bytes x, int shift, int mask)            x >> shift & mask
//     bytes raised(bytes x, int shift)                     x << shift, which must not lose bits
//     bytes either(bytes x, bytes y)                       x | y
//     bytes less(bytes x, int amount)
//     bytes fifth_bits(const uint8_t *from)                a byte for each of 16 bits: 16 or 0
//     bytes select16(const int8_t levels[16], bytes indices)
//     void put_scaled(float *out, bytes x, float step)     stores signed bytes times a step
//     void put_line(float *out, bytes x, float step, float base, const int sign)   and a base, with its sign
//
// and what unpack_runs.h needs.
#pragma once
#include "unpack_runs.h"

UNPACK(q4_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 18) {
    float d = half_at(block);
    bytes quants = load16(block + 2);
    put_scaled(destination + i, less(low_nibbles(quants), 8), d);
    put_scaled(destination + i + 16, less(high_nibbles(quants), 8), d);
  }
}

UNPACK(q4_1)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 20) {
    float d = half_at(block), m = half_at(block + 2);
    bytes quants = load16(block + 4);
    put_line(destination + i, low_nibbles(quants), d, m, 1);
    put_line(destination + i + 16, high_nibbles(quants), d, m, 1);
  }
}

UNPACK(q5_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 22) {
    float d = half_at(block);
    bytes quants = load16(block + 6);
    bytes low = either(low_nibbles(quants), fifth_bits(block + 2));
    bytes high = either(high_nibbles(quants), fifth_bits(block + 4));
    put_scaled(destination + i, less(low, 16), d);
    put_scaled(destination + i + 16, less(high, 16), d);
  }
}

UNPACK(q5_1)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 24) {
    float d = half_at(block), m = half_at(block + 2);
    bytes quants = load16(block + 8);
    put_line(destination + i, either(low_nibbles(quants), fifth_bits(block + 4)), d, m, 1);
    put_line(destination + i + 16, either(high_nibbles(quants), fifth_bits(block + 6)), d, m, 1);
  }
}

UNPACK(q8_0)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 34) {
    float d = half_at(block);
    put_scaled(destination + i, load16(block + 2), d);
    put_scaled(destination + i + 16, load16(block + 18), d);
  }
}

UNPACK(q2_k)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 84) {
    float d = half_at(block + 80), minimum = half_at(block + 82), *out = destination + i;
    for (int number = 0; number < 16; number++, out += 16) {
      bytes quants = load16(block + 16 + number / 8 * 32 + number % 2 * 16);
      quants = field(quants, number / 2 % 4 * 2, 3);
      put_line(out, quants, d * (float)(block[number] & 15), minimum * (float)(block[number] >> 4), -1);
    }
  }
}

UNPACK(q3_k)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 110) {
    const uint8_t *packed = block + 96;
    float d = half_at(block + 108), *out = destination + i;
    for (int number = 0; number < 16; number++, out += 16) {
      int low = number < 8 ? packed[number] & 15 : packed[number - 8] >> 4;
      int top = packed[8 + number % 4] >> (number / 4 * 2) & 3;
      bytes quants = load16(block + 32 + number / 8 * 32 + number % 2 * 16);
      bytes third = raised(field(load16(block + number % 2 * 16), number / 2, 1), 2);
      quants = either(field(quants, number / 2 % 4 * 2, 3), third);
      put_scaled(out, less(quants, 4), d * (float)((low | top << 4) - 32));
    }
  }
}

/// The eight scales of Q4_K and Q5_K, then the eight minima, a byte each.
static inline void scales_and_minima(const uint8_t *packed, uint8_t *scales) {
  uint32_t words[3], result[4];
  memcpy(words, packed, 12);
  result[0] = words[0] & 0x3F3F3F3F;
  result[2] = words[1] & 0x3F3F3F3F;
  result[1] = (words[2] & 0x0F0F0F0F) | (words[0] >> 6 & 0x03030303) << 4;
  result[3] = (words[2] >> 4 & 0x0F0F0F0F) | (words[1] >> 6 & 0x03030303) << 4;
  memcpy(scales, result, 16);
}

UNPACK(q4_k)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 144) {
    float d = half_at(block), dmin = half_at(block + 2), *out = destination + i;
    uint8_t scales[16];
    scales_and_minima(block + 4, scales);
    for (int group = 0; group < 8; group++) {
      float step = d * (float)scales[group], base = dmin * (float)scales[group + 8];
      for (int part = 0; part < 2; part++, out += 16) {
        bytes quants = load16(block + 16 + group / 2 * 32 + part * 16);
        put_line(out, group % 2 ? high_nibbles(quants) : low_nibbles(quants), step, base, -1);
      }
    }
  }
}

UNPACK(q5_k)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 176) {
    float d = half_at(block), dmin = half_at(block + 2), *out = destination + i;
    uint8_t scales[16];
    scales_and_minima(block + 4, scales);
    for (int group = 0; group < 8; group++) {
      float step = d * (float)scales[group], base = dmin * (float)scales[group + 8];
      for (int part = 0; part < 2; part++, out += 16) {
        bytes quants = load16(block + 48 + group / 2 * 32 + part * 16);
        quants = group % 2 ? high_nibbles(quants) : low_nibbles(quants);
        bytes fifth = raised(field(load16(block + 16 + part * 16), group, 1), 4);
        put_line(out, either(quants, fifth), step, base, -1);
      }
    }
  }
}

UNPACK(q6_k)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 210) {
    float d = half_at(block + 208), *out = destination + i;
    // Each half of the block has 8 runs of 16 numbers: the first 4 in the low nibbles of 64 bytes,
    // the others in the high nibbles.
    for (int number = 0; number < 16; number++, out += 16) {
      bytes quants = load16(block + number / 8 * 64 + number % 4 * 16);
      quants = number / 4 % 2 ? high_nibbles(quants) : low_nibbles(quants);
      bytes high = field(load16(block + 128 + number / 8 * 32 + number % 2 * 16), number / 2 % 4 * 2, 3);
      quants = less(either(quants, raised(high, 4)), 32);
      put_scaled(out, quants, d * (float)(int8_t)block[192 + number]);
    }
  }
}

/// The unevenly spaced levels of the IQ4 types.
static const int8_t uneven_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};

UNPACK(iq4_nl)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 32, block += 18) {
    float d = half_at(block);
    bytes quants = load16(block + 2);
    put_scaled(destination + i, select16(uneven_levels, low_nibbles(quants)), d);
    put_scaled(destination + i + 16, select16(uneven_levels, high_nibbles(quants)), d);
  }
}

UNPACK(iq4_xs)(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t i = 0; i < count; i += 256, block += 136) {
    float d = half_at(block), *out = destination + i;
    uint16_t high;
    memcpy(&high, block + 2, 2);
    for (int group = 0; group < 8; group++, out += 32) {
      int low = block[4 + group / 2] >> (group % 2 * 4) & 15;
      float step = d * (float)((low | (high >> (2 * group) & 3) << 4) - 32);
      bytes quants = load16(block + 8 + group * 16);
      put_scaled(out, select16(uneven_levels, low_nibbles(quants)), step);
      put_scaled(out + 16, select16(uneven_levels, high_nibbles(quants)), step);
    }
  }
}
