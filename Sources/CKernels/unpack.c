// Blocks of quantised weights to floats. The layouts are those of ggml-common.h; each picture shows
// the bytes of one block.
#include "levels.h"

static float from_f16(uint16_t bits) {
  uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3FF, word;
  float value;
  if (exponent == 0) {
    value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
  }
  word = sign | (exponent == 31 ? 0x7F800000 : (exponent + 112) << 23) | fraction << 13;
  // A NaN becomes quiet, as in the processor's conversion.
  if (exponent == 31 && fraction) word |= 0x400000;
  memcpy(&value, &word, 4);
  return value;
}

static float half_at(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  return from_f16(bits);
}

void unpack_f32(const void *source, float *destination, size_t count) {
  memcpy(destination, source, count * 4);
}

void unpack_f16(const void *source, float *destination, size_t count) {
  const uint8_t *bytes = source;
  for (size_t i = 0; i < count; i++) destination[i] = half_at(bytes + 2 * i);
}

void unpack_bf16(const void *source, float *destination, size_t count) {
  const uint8_t *bytes = source;
  for (size_t i = 0; i < count; i++) {
    uint16_t bits;
    memcpy(&bits, bytes + 2 * i, 2);
    uint32_t word = (uint32_t)bits << 16;
    memcpy(destination + i, &word, 4);
  }
}

// | d f16 | 16 bytes: element i in the low nibble of byte i, element i + 16 in the high one |
void unpack_q4_0(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 18) {
    float d = half_at(block);
    for (int i = 0; i < 16; i++) {
      destination[start + i] = (float)((block[2 + i] & 15) - 8) * d;
      destination[start + i + 16] = (float)((block[2 + i] >> 4) - 8) * d;
    }
  }
}

// | d f16 | m f16 | 16 bytes |
void unpack_q4_1(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 20) {
    float d = half_at(block), m = half_at(block + 2);
    for (int i = 0; i < 16; i++) {
      destination[start + i] = (float)(block[4 + i] & 15) * d + m;
      destination[start + i + 16] = (float)(block[4 + i] >> 4) * d + m;
    }
  }
}

// | d f16 | fifth bits u32 | 16 bytes |
void unpack_q5_0(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 22) {
    float d = half_at(block);
    uint32_t high;
    memcpy(&high, block + 2, 4);
    for (int i = 0; i < 16; i++) {
      int low = (block[6 + i] & 15) | (int)(high >> i & 1) << 4;
      int top = block[6 + i] >> 4 | (int)(high >> (i + 16) & 1) << 4;
      destination[start + i] = (float)(low - 16) * d;
      destination[start + i + 16] = (float)(top - 16) * d;
    }
  }
}

// | d f16 | m f16 | fifth bits u32 | 16 bytes |
void unpack_q5_1(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 24) {
    float d = half_at(block), m = half_at(block + 2);
    uint32_t high;
    memcpy(&high, block + 4, 4);
    for (int i = 0; i < 16; i++) {
      int low = (block[8 + i] & 15) | (int)(high >> i & 1) << 4;
      int top = block[8 + i] >> 4 | (int)(high >> (i + 16) & 1) << 4;
      destination[start + i] = (float)low * d + m;
      destination[start + i + 16] = (float)top * d + m;
    }
  }
}

// | d f16 | 32 bytes |
void unpack_q8_0(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 34) {
    float d = half_at(block);
    for (int i = 0; i < 32; i++) destination[start + i] = (float)(int8_t)block[2 + i] * d;
  }
}

// | 16 bytes: scales low nibble, minima high | 64 bytes, 2 bits an element | d f16 | dmin f16 |
void unpack_q2_k(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 84) {
    const uint8_t *scales = block, *quants = block + 16;
    float d = half_at(block + 80), minimum = half_at(block + 82);
    float *out = destination + start;
    for (int half = 0; half < 2; half++, quants += 32) {
      for (int shift = 0; shift < 8; shift += 2) {
        for (int part = 0; part < 2; part++) {
          uint8_t scale = *scales++;
          float step = d * (float)(scale & 15), base = minimum * (float)(scale >> 4);
          for (int i = 0; i < 16; i++) *out++ = step * (float)(quants[part * 16 + i] >> shift & 3) - base;
        }
      }
    }
  }
}

// | 32 bytes: third bits | 64 bytes, 2 bits an element | 12 bytes: 16 scales of 6 bits | d f16 |
void unpack_q3_k(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 110) {
    const uint8_t *high = block, *quants = block + 32, *packed = block + 96;
    float d = half_at(block + 108);
    float *out = destination + start;
    int number = 0;
    for (int half = 0; half < 2; half++, quants += 32) {
      for (int shift = 0; shift < 8; shift += 2) {
        uint8_t mask = (uint8_t)(1 << (half * 4 + shift / 2));
        for (int part = 0; part < 2; part++, number++) {
          int low = number < 8 ? packed[number] & 15 : packed[number - 8] >> 4;
          int top = packed[8 + number % 4] >> (number / 4 * 2) & 3;
          float step = d * (float)((low | top << 4) - 32);
          for (int i = 0; i < 16; i++) {
            int place = part * 16 + i;
            int value = (quants[place] >> shift & 3) - (high[place] & mask ? 0 : 4);
            *out++ = step * (float)value;
          }
        }
      }
    }
  }
}

// | d f16 | dmin f16 | 12 bytes: scales and minima | 128 bytes |
void unpack_q4_k(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 144) {
    float d = half_at(block), dmin = half_at(block + 2);
    const uint8_t *quants = block + 16;
    float *out = destination + start;
    for (int group = 0; group < 8; group++) {
      int scale, minimum;
      scale_and_minimum(block + 4, group, &scale, &minimum);
      float step = d * (float)scale, base = dmin * (float)minimum;
      for (int i = 0; i < 32; i++) {
        int value = group % 2 ? quants[i] >> 4 : quants[i] & 15;
        *out++ = step * (float)value - base;
      }
      if (group % 2) quants += 32;
    }
  }
}

// | d f16 | dmin f16 | 12 bytes: scales and minima | 32 bytes: fifth bits | 128 bytes |
void unpack_q5_k(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 176) {
    float d = half_at(block), dmin = half_at(block + 2);
    const uint8_t *high = block + 16, *quants = block + 48;
    float *out = destination + start;
    for (int group = 0; group < 8; group++) {
      int scale, minimum;
      scale_and_minimum(block + 4, group, &scale, &minimum);
      float step = d * (float)scale, base = dmin * (float)minimum;
      for (int i = 0; i < 32; i++) {
        int value = group % 2 ? quants[i] >> 4 : quants[i] & 15;
        value |= (high[i] >> group & 1) << 4;
        *out++ = step * (float)value - base;
      }
      if (group % 2) quants += 32;
    }
  }
}

// | 128 bytes: low nibbles | 64 bytes: high 2 bits | 16 scales i8 | d f16 |
void unpack_q6_k(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 210) {
    float d = half_at(block + 208);
    for (int half = 0; half < 2; half++) {
      const uint8_t *low = block + half * 64, *high = block + 128 + half * 32;
      const int8_t *scales = (const int8_t *)block + 192 + half * 8;
      float *out = destination + start + half * 128;
      for (int i = 0; i < 32; i++) {
        int part = i / 16;
        int a = (low[i] & 15) | (high[i] & 3) << 4, b = (low[i + 32] & 15) | (high[i] >> 2 & 3) << 4;
        int c = low[i] >> 4 | (high[i] >> 4 & 3) << 4, e = low[i + 32] >> 4 | (high[i] >> 6) << 4;
        out[i] = d * (float)scales[part] * (float)(a - 32);
        out[i + 32] = d * (float)scales[part + 2] * (float)(b - 32);
        out[i + 64] = d * (float)scales[part + 4] * (float)(c - 32);
        out[i + 96] = d * (float)scales[part + 6] * (float)(e - 32);
      }
    }
  }
}

static const int8_t uneven_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// | d f16 | 16 bytes: indices of unevenly spaced levels |
void unpack_iq4_nl(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 32, block += 18) {
    float d = half_at(block);
    for (int i = 0; i < 16; i++) {
      destination[start + i] = d * (float)uneven_levels[block[2 + i] & 15];
      destination[start + i + 16] = d * (float)uneven_levels[block[2 + i] >> 4];
    }
  }
}

// | d f16 | high scale bits u16 | 4 bytes: low scale bits | 128 bytes |
void unpack_iq4_xs(const void *source, float *destination, size_t count) {
  const uint8_t *block = source;
  for (size_t start = 0; start < count; start += 256, block += 136) {
    float d = half_at(block);
    uint16_t high;
    memcpy(&high, block + 2, 2);
    for (int group = 0; group < 8; group++) {
      int low = block[4 + group / 2] >> (group % 2 * 4) & 15;
      float step = d * (float)((low | (high >> (2 * group) & 3) << 4) - 32);
      const uint8_t *quants = block + 8 + group * 16;
      float *out = destination + start + group * 32;
      for (int i = 0; i < 16; i++) {
        out[i] = step * (float)uneven_levels[quants[i] & 15];
        out[i + 16] = step * (float)uneven_levels[quants[i] >> 4];
      }
    }
  }
}

/// Stores 8 signed bytes times a step.
static inline void put_run(float *out, uint64_t run, float step) {
  for (int i = 0; i < 8; i++) out[i] = step * (float)(int8_t)(run >> 8 * i);
}

/// The levels that 8 bytes below 16 select.
static inline uint64_t look_up(const int8_t levels[16], uint64_t codes) {
  uint64_t run = 0;
  for (int i = 0; i < 64; i += 8) run |= (uint64_t)(uint8_t)levels[codes >> i & 15] << i;
  return run;
}

#define UNPACK(type) void unpack_##type
#include "unpack_runs.h"
