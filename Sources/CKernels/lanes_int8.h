// 8-bit products with the processor's own dot products of four bytes. int8.h draws the packed form.
#pragma once
#include "int8.h"

INLINE float read_half(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  return _cvtsh_ss(bits);
}

/// Packs blocks. Two blocks of 16 outputs are 16 rows of 16 words, which are transposed together.
INLINE void pack_blocks(const enum element_type type, const uint8_t *source, size_t n, size_t k,
                        uint8_t *packed) {
  size_t bytes = stored_row_bytes(type, k), blocks = k / 32;
  for (size_t output = 0; output < (n + panel_outputs - 1) / panel_outputs * panel_outputs; output += lanes) {
    uint8_t *panel = packed + output / panel_outputs * blocks * packed_block + output % panel_outputs * 4;
    for (size_t block = 0; block < blocks; block += 2) {
      uint8_t values[lanes][64] = {{0}};
      float steps[2][lanes] = {{0}}, bases[2][lanes] = {{0}};
      words rows[lanes];
      size_t some = blocks - block < 2 ? 1 : 2;
      for (size_t row = 0; row < lanes && output + row < n; row++)
        for (size_t i = 0; i < some; i++)
          read_block(type, source + (output + row) * bytes, block + i, read_half, values[row] + 32 * i,
                     &steps[i][row], &bases[i][row]);
      for (int row = 0; row < lanes; row++) rows[row] = load_words(values[row]);
      transpose(rows);
      for (size_t i = 0; i < some; i++) {
        uint8_t *place = panel + (block + i) * packed_block;
        for (size_t word = 0; word < 8; word++) store_words(place + word * 128, rows[8 * i + word]);
        memcpy(place + steps_place, steps[i], sizeof steps[i]);
        memcpy(place + bases_place, bases[i], sizeof bases[i]);
      }
    }
  }
}

static LEVEL void lanes_pack_q8_0(const void *source, size_t n, size_t k, void *packed) {
  pack_blocks(element_q8_0, source, n, k, packed);
}
static LEVEL void lanes_pack_q4_0(const void *source, size_t n, size_t k, void *packed) {
  pack_blocks(element_q4_0, source, n, k, packed);
}
static LEVEL void lanes_pack_q4_k(const void *source, size_t n, size_t k, void *packed) {
  pack_blocks(element_q4_k, source, n, k, packed);
}
static LEVEL void lanes_pack_q5_k(const void *source, size_t n, size_t k, void *packed) {
  pack_blocks(element_q5_k, source, n, k, packed);
}

static LEVEL void lanes_round_int8(const float *source, size_t stride, size_t rows, size_t k, int8_t *values,
                                   size_t values_stride, float *scales, size_t scales_stride) {
  for (size_t row = 0; row < rows;
       row++, source += stride, values += values_stride, scales += scales_stride) {
    for (size_t block = 0; block < k / 32; block++) {
      floats low = load(source + 32 * block), high = load(source + 32 * block + lanes);
      float greatest = greatest_lane(greater(_mm512_abs_ps(low), _mm512_abs_ps(high)));
      floats factor = all(greatest > 0 ? 127 / greatest : 0);
      words first = _mm512_cvtps_epi32(multiply(low, factor)),
            second = _mm512_cvtps_epi32(multiply(high, factor));
      _mm_storeu_si128((__m128i *)(values + 32 * block), _mm512_cvtepi32_epi8(first));
      _mm_storeu_si128((__m128i *)(values + 32 * block + lanes), _mm512_cvtepi32_epi8(second));
      scales[2 * block] = greatest / 127;
      scales[2 * block + 1] =
          greatest / 127 * (float)_mm512_reduce_add_epi32(_mm512_add_epi32(first, second));
    }
  }
}

// The sums of a tile of 5 rows by 32 outputs take 20 of the 32 registers: integers within a block,
// and floats over all blocks. `block_depth` blocks of some panels fit in the second-level cache.
enum { byte_rows = 5, block_depth = 64 };

INLINE void multiply_bytes(const int rows, const int8_t *a, size_t a_stride, const float *scales,
                           size_t scales_stride, const uint8_t *b, size_t blocks, float *c, size_t c_stride,
                           long left, int accumulate) {
  lane_mask first = first_lanes(left), second = first_lanes(left - lanes);
  floats sums[byte_rows][2];
#pragma GCC unroll 5
  for (int row = 0; row < rows; row++) {
    sums[row][0] = accumulate ? load_masked(c + (size_t)row * c_stride, first, all(0)) : all(0);
    sums[row][1] = accumulate ? load_masked(c + (size_t)row * c_stride + lanes, second, all(0)) : all(0);
  }
  for (size_t block = 0; block < blocks; block++, a += 32, scales += 2, b += packed_block) {
    words products[byte_rows][2];
#pragma GCC unroll 5
    for (int row = 0; row < rows; row++) products[row][0] = products[row][1] = no_words();
#pragma GCC unroll 8
    for (int four = 0; four < 8; four++) {
      words low = load_words(b + 128 * four), high = load_words(b + 128 * four + 64);
#pragma GCC unroll 5
      for (int row = 0; row < rows; row++) {
        int word;
        memcpy(&word, a + (size_t)row * a_stride + 4 * four, 4);
        products[row][0] = _mm512_dpbusd_epi32(products[row][0], low, all_words(word));
        products[row][1] = _mm512_dpbusd_epi32(products[row][1], high, all_words(word));
      }
    }
    const float *steps = (const float *)(const void *)(b + steps_place), *bases = steps + panel_outputs;
#pragma GCC unroll 5
    for (int row = 0; row < rows; row++) {
      floats scale = all(scales[(size_t)row * scales_stride]),
             less = all(-scales[(size_t)row * scales_stride + 1]);
      for (int half = 0; half < 2; half++) {
        floats step = multiply(scale, load(steps + half * lanes));
        sums[row][half] = multiply_add(_mm512_cvtepi32_ps(products[row][half]), step, sums[row][half]);
        sums[row][half] = multiply_add(less, load(bases + half * lanes), sums[row][half]);
      }
    }
  }
#pragma GCC unroll 5
  for (int row = 0; row < rows; row++, c += c_stride) {
    store_masked(c, first, sums[row][0]);
    store_masked(c + lanes, second, sums[row][1]);
  }
}

static LEVEL void lanes_matmul_int8(const int8_t *a, size_t a_stride, const float *scales,
                                    size_t scales_stride, const void *packed, float *c, size_t c_stride,
                                    size_t m, size_t n, size_t k) {
  size_t blocks = k / 32, tiles_of_rows = (m + byte_rows - 1) / byte_rows;
  for (size_t start = 0; start == 0 || start < blocks; start += block_depth) {
    size_t some = blocks - start < block_depth ? blocks - start : block_depth;
    for (size_t tile = 0; tile < tiles_of_rows; tile++) {
      size_t row = tile * m / tiles_of_rows, rows = (tile + 1) * m / tiles_of_rows - row;
      for (size_t j = 0; j < n; j += panel_outputs) {
        const uint8_t *b = (const uint8_t *)packed + (j / panel_outputs * blocks + start) * packed_block;
#define BYTES(count)                                                                                         \
  multiply_bytes(count, a + row * a_stride + 32 * start, a_stride, scales + row * scales_stride + 2 * start, \
                 scales_stride, b, some, c + row * c_stride + j, c_stride, (long)(n - j), start > 0)
        switch (rows) {
          case 1:
            BYTES(1);
            break;
          case 2:
            BYTES(2);
            break;
          case 3:
            BYTES(3);
            break;
          case 4:
            BYTES(4);
            break;
          default:
            BYTES(5);
            break;
        }
      }
    }
  }
}
