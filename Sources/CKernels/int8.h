// Weights as unsigned bytes u in blocks of 32: w = step * u - base.
//
// In packed form, 32 outputs make a panel. In a panel, a block of 32 inputs takes
//
//     | u of output 0: inputs 0-3 | output 1: inputs 0-3 | ... | output 31 |   128 bytes
//     | the same for inputs 4-7 | ... | inputs 28-31 |                         7 * 128
//     | 32 steps f32 | 32 bases f32 |                                          2 * 128
//
// Outputs beyond n are zero.
#pragma once
#include "levels.h"

enum { packed_block = 10 * 128, steps_place = 8 * 128, bases_place = 9 * 128 };

static inline size_t stored_row_bytes(enum element_type type, size_t k) {
#define ROW_BYTES(number, name, elements, bytes, writes, int8) \
  case number:                                                 \
    return k / elements * bytes;
  switch (type) { ELEMENT_TYPES(ROW_BYTES) }
#undef ROW_BYTES
  return 0;
}

/// Reads block `number` of a stored row; unpack.c draws the blocks. `half` reads an f16.
static inline __attribute__((always_inline)) void read_block(enum element_type type, const uint8_t *row,
                                                             size_t number, float (*half)(const uint8_t *),
                                                             uint8_t *values, float *step, float *base) {
  if (type == element_q8_0) {
    row += number * 34;
    for (int i = 0; i < 32; i++) values[i] = row[2 + i] ^ 0x80;
    *step = half(row);
    *base = *step * 128;
  } else if (type == element_q4_0) {
    row += number * 18;
    for (int i = 0; i < 16; i++) {
      values[i] = row[2 + i] & 15;
      values[i + 16] = row[2 + i] >> 4;
    }
    *step = half(row);
    *base = *step * 8;
  } else {
    int group = (int)(number % 8), scale, minimum;
    row += number / 8 * (type == element_q4_k ? 144 : 176);
    const uint8_t *high = row + 16, *quants = row + (type == element_q4_k ? 16 : 48) + group / 2 * 32;
    for (int i = 0; i < 32; i++) {
      int value = quants[i] >> (group % 2 * 4) & 15;
      values[i] = (uint8_t)(type == element_q4_k ? value : value | (high[i] >> group & 1) << 4);
    }
    scale_and_minimum(row + 4, group, &scale, &minimum);
    *step = half(row) * (float)scale;
    *base = half(row + 2) * (float)minimum;
  }
}
