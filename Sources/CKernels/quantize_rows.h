// Floats to stored blocks: the code that quantize.c and quantize_avx2.c share. It rounds like
// gguf-py's quants.py, step by step. unpack.c draws the blocks.
//
// ROUND_F16 turns a float into the bits of the nearest half, ties to even. NAME names the functions
// of a level.
#pragma once
#include "levels.h"

#include <math.h>

enum { short_block = 32 };

static inline void put_half(uint8_t *bytes, float value) {
  uint16_t bits = ROUND_F16(value);
  memcpy(bytes, &bits, 2);
}

/// The bits without the sign. They have the same order as the magnitudes.
static inline uint32_t magnitude_bits(float value) { return bits_of(value) & 0x7FFFFFFF; }

static inline float greatest_magnitude(const float *source) {
  uint32_t greatest = 0;
  for (int i = 0; i < short_block; i++) {
    uint32_t bits = magnitude_bits(source[i]);
    greatest = bits > greatest ? bits : greatest;
  }
  return float_of(greatest);
}

/// The number with the greatest magnitude, or the first of several.
static inline float extreme(const float *source) {
  float magnitude = greatest_magnitude(source);
  for (int i = 0; i < short_block; i++)
    if (fabsf(source[i]) == magnitude) return source[i];
  return 0;
}

static inline void find_range(const float *source, float *least, float *greatest) {
  float low = source[0], high = source[0];
  for (int i = 1; i < short_block; i++) {
    low = source[i] < low ? source[i] : low;
    high = source[i] > high ? source[i] : high;
  }
  *least = low;
  *greatest = high;
}

/// The inverse of a scale: 0 for the scale of a block of zeros, and the greatest finite number
/// instead of infinity.
static inline float inverse(float scale) {
  float result = scale == 0 ? 0 : 1 / scale;
  return result > 0x1.fffffep127f ? 0x1.fffffep127f : result < -0x1.fffffep127f ? -0x1.fffffep127f : result;
}

static inline int clamp(float value, float least, float greatest) {
  return (int)(value < least ? least : value > greatest ? greatest : value);
}

void NAME(f32)(const float *source, void *destination, size_t count) { memcpy(destination, source, count * 4); }

void NAME(f16)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination;
  for (size_t i = 0; i < count; i++) put_half(out + 2 * i, source[i]);
}

/// Rounds to nearest even; a NaN becomes quiet.
void NAME(bf16)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = bits_of(source[i]);
    uint32_t rounded = (bits + (0x7FFF + (bits >> 16 & 1))) >> 16, quiet = bits >> 16 | 0x40;
    uint16_t half = (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
    memcpy(out + 2 * i, &half, 2);
  }
}

/// Rounds halves away from zero.
void NAME(q8_0)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination;
  for (size_t start = 0; start < count; start += short_block, source += short_block, out += 34) {
    float scale = greatest_magnitude(source) / 127, factor = inverse(scale);
    put_half(out, scale);
    for (int i = 0; i < short_block; i++) {
      float value = source[i] * factor, magnitude = fabsf(value), whole = floorf(magnitude);
      float rounded = whole + floorf(2 * (magnitude - whole));
      out[2 + i] = (uint8_t)(int8_t)clamp(value < 0 ? -rounded : rounded, -127, 127);
    }
  }
}

/// Levels of 4 or 5 bits: (x - base) / scale + shift, truncated, at most `greatest`.
static inline void find_levels(const float *source, float base, float factor, float shift, int greatest,
                               uint8_t *levels) {
  for (int i = 0; i < short_block; i++)
    levels[i] = (uint8_t)clamp((source[i] - base) * factor + shift, 0, (float)greatest);
}

static inline void put_nibbles(const uint8_t *levels, uint8_t *out) {
  for (int i = 0; i < 16; i++) out[i] = (uint8_t)((levels[i] & 15) | levels[i + 16] << 4);
}

static inline void put_fifth_bits(const uint8_t *levels, uint8_t *out) {
  uint32_t bits = 0;
  for (int i = 0; i < short_block; i++) bits |= (uint32_t)(levels[i] >> 4 & 1) << i;
  memcpy(out, &bits, 4);
}

void NAME(q4_0)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination, levels[short_block];
  for (size_t start = 0; start < count; start += short_block, source += short_block, out += 18) {
    float scale = extreme(source) / -8;
    put_half(out, scale);
    find_levels(source, 0, inverse(scale), 8.5f, 15, levels);
    put_nibbles(levels, out + 2);
  }
}

void NAME(q4_1)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination, levels[short_block];
  for (size_t start = 0; start < count; start += short_block, source += short_block, out += 20) {
    float least, greatest;
    find_range(source, &least, &greatest);
    float scale = (greatest - least) / 15;
    put_half(out, scale);
    put_half(out + 2, least);
    find_levels(source, least, inverse(scale), 0.5f, 15, levels);
    put_nibbles(levels, out + 4);
  }
}

void NAME(q5_0)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination, levels[short_block];
  for (size_t start = 0; start < count; start += short_block, source += short_block, out += 22) {
    float scale = extreme(source) / -16;
    put_half(out, scale);
    find_levels(source, 0, inverse(scale), 16.5f, 31, levels);
    put_fifth_bits(levels, out + 2);
    put_nibbles(levels, out + 6);
  }
}

void NAME(q5_1)(const float *source, void *destination, size_t count) {
  uint8_t *out = destination, levels[short_block];
  for (size_t start = 0; start < count; start += short_block, source += short_block, out += 24) {
    float least, greatest;
    find_range(source, &least, &greatest);
    float scale = (greatest - least) / 31;
    put_half(out, scale);
    put_half(out + 2, least);
    find_levels(source, least, inverse(scale), 0.5f, 31, levels);
    put_fifth_bits(levels, out + 4);
    put_nibbles(levels, out + 8);
  }
}

/// The index of the first number that is NaN or whose magnitude exceeds `limit`, or `count`.
size_t NAME(first_beyond)(const float *source, float limit, size_t count) {
  uint32_t greatest = 0, limit_bits = magnitude_bits(limit);
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = magnitude_bits(source[i]);
    greatest = bits > greatest ? bits : greatest;
  }
  if (greatest <= limit_bits) return count;
  size_t place = 0;
  while (magnitude_bits(source[place]) <= limit_bits) place++;
  return place;
}
