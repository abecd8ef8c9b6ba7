// 8-bit products with the processor's own products of bytes. int8.h draws the packed form.
#pragma once
#include "int8.h"

/// Packs blocks. Some outputs, a lane each, are rows of 16 words, two blocks, which are transposed
/// some words at a time.
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
      for (size_t word = 0; word < 16; word += lanes) {
        for (int row = 0; row < lanes; row++) rows[row] = load_words(values[row] + 4 * word);
        transpose(rows);
        for (size_t i = word; i < word + lanes && i < 8 * some; i++)
          store_words(panel + (block + i / 8) * packed_block + i % 8 * 128, rows[i - word]);
      }
      for (size_t i = 0; i < some; i++) {
        memcpy(panel + (block + i) * packed_block + steps_place, steps[i], sizeof steps[i]);
        memcpy(panel + (block + i) * packed_block + bases_place, bases[i], sizeof bases[i]);
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
      floats x[32 / lanes], most = all(0);
      words sum = no_words();
      for (int i = 0; i < 32 / lanes; i++) {
        x[i] = load(source + 32 * block + (size_t)(i * lanes));
        most = i ? greater(most, magnitudes(x[i])) : magnitudes(x[i]);
      }
      float greatest = greatest_lane(most);
      floats factor = all(greatest > 0 ? 127 / greatest : 0);
      for (int i = 0; i < 32 / lanes; i++) {
        words rounded = round_to_words(multiply(x[i], factor));
        store_bytes(values + 32 * block + (size_t)(i * lanes), rounded);
        sum = i ? add_words(sum, rounded) : rounded;
      }
      scales[2 * block] = greatest / 127;
      scales[2 * block + 1] = greatest / 127 * (float)total_words(sum);
    }
  }
}

// The sums of a tile of some rows by two registers of outputs: integers within a block, and floats
// over all blocks. They take 20 of the 32 registers, or 24 as squares. `block_depth` blocks of some
// panels fit in the second-level cache.
#if defined(SQUARE_PRODUCTS)
#define BYTE_ROWS 6
#define EACH_BYTE_TILE(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
#define BYTE_ROWS 5
#define EACH_BYTE_TILE(X) X(1) X(2) X(3) X(4) X(5)
#endif
enum { block_depth = 64 };

/// Computes the products of a block, as integers. For products of squares `a` is as pair_rows writes
/// it.
INLINE void multiply_block(const int rows, const int8_t *a, size_t a_stride, const uint8_t *b,
                           words products[][2]) {
#if defined(SQUARE_PRODUCTS)
  (void)a_stride;
  multiply_squares(rows, (const uint8_t *)a, b, 8, products, 0);
#else
#pragma GCC unroll 5
  for (int row = 0; row < rows; row++) products[row][0] = products[row][1] = no_words();
  // Unrolled, loads of several words would take more registers than there are.
#if LANES == 16
#pragma GCC unroll 8
#else
#pragma GCC unroll 1
#endif
  for (int word = 0; word < 8; word += loaded_words) {
    words some[BYTE_ROWS];
#pragma GCC unroll 5
    for (int row = 0; row < rows; row++) some[row] = load_repeatable(a + (size_t)row * a_stride + 4 * word);
#pragma GCC unroll 4
    for (int lane = 0; lane < loaded_words; lane++) {
      const uint8_t *place = b + 128 * (word + lane);
      words low = load_words(place), high = load_words(place + 4 * lanes);
#pragma GCC unroll 5
      for (int row = 0; row < rows; row++) {
        words repeated = repeat_word(some[row], lane);
        products[row][0] = dot_bytes(products[row][0], low, repeated);
        products[row][1] = dot_bytes(products[row][1], high, repeated);
      }
    }
  }
#endif
}

INLINE void multiply_bytes(const int rows, const int8_t *a, size_t a_stride, const float *scales,
                           size_t scales_stride, const uint8_t *b, size_t blocks, float *c, size_t c_stride,
                           long left, int accumulate) {
  lane_mask first = first_lanes(left), second = first_lanes(left - lanes);
  size_t a_step = 32;
#if defined(SQUARE_PRODUCTS)
  a_step *= (size_t)(rows + 1) / 2 * 2;
#endif
  floats sums[BYTE_ROWS][2];
#pragma GCC unroll 6
  for (int row = 0; row < rows; row++) {
    sums[row][0] = accumulate ? load_masked(c + (size_t)row * c_stride, first, all(0)) : all(0);
    sums[row][1] = accumulate ? load_masked(c + (size_t)row * c_stride + lanes, second, all(0)) : all(0);
  }
  for (size_t block = 0; block < blocks; block++, a += a_step, scales += 2, b += packed_block) {
    words products[BYTE_ROWS][2];
    multiply_block(rows, a, a_stride, b, products);
    const float *steps = (const float *)(const void *)(b + steps_place), *bases = steps + panel_outputs;
    floats step[2] = {load(steps), load(steps + lanes)}, base[2] = {load(bases), load(bases + lanes)};
    if (byte_offset)  // Then the products are those of u - byte_offset.
      for (int half = 0; half < 2; half++)
        base[half] = multiply_add(step[half], all(-byte_offset), base[half]);
#pragma GCC unroll 6
    for (int row = 0; row < rows; row++) {
      floats scale = all(scales[(size_t)row * scales_stride]),
             less = all(-scales[(size_t)row * scales_stride + 1]);
      for (int half = 0; half < 2; half++) {
        floats scaled = multiply(scale, step[half]);
        sums[row][half] = multiply_add(words_to_floats(products[row][half]), scaled, sums[row][half]);
        sums[row][half] = multiply_add(less, base[half], sums[row][half]);
      }
    }
  }
#pragma GCC unroll 6
  for (int row = 0; row < rows; row++, c += c_stride) {
    store_masked(c, first, sums[row][0]);
    store_masked(c + lanes, second, sums[row][1]);
  }
}

static LEVEL void lanes_matmul_int8(const int8_t *a, size_t a_stride, const float *scales,
                                    size_t scales_stride, const void *packed, float *c, size_t c_stride,
                                    size_t m, size_t n, size_t k) {
  size_t blocks = k / 32, tiles_of_rows = (m + BYTE_ROWS - 1) / BYTE_ROWS;
  for (size_t start = 0; start == 0 || start < blocks; start += block_depth) {
    size_t some = blocks - start < block_depth ? blocks - start : block_depth;
    for (size_t tile = 0; tile < tiles_of_rows; tile++) {
      size_t row = tile * m / tiles_of_rows, rows = (tile + 1) * m / tiles_of_rows - row;
      const int8_t *first = a + row * a_stride + 32 * start;
#if defined(SQUARE_PRODUCTS)
      int8_t paired[BYTE_ROWS * 32 * block_depth];
      pair_rows(first, a_stride, rows, 8 * some, (uint8_t *)paired);
      first = paired;
#endif
      for (size_t j = 0; j < n; j += 2 * lanes) {
        const uint8_t *b = (const uint8_t *)packed + (j / panel_outputs * blocks + start) * packed_block +
                           j % panel_outputs * 4;
#define BYTE_TILE(count)                                                                                      \
  case count:                                                                                                 \
    multiply_bytes(count, first, a_stride, scales + row * scales_stride + 2 * start, scales_stride, b, some, \
                   c + row * c_stride + j, c_stride, (long)(n - j), start > 0);                               \
    break;
        switch (rows) { EACH_BYTE_TILE(BYTE_TILE) }
      }
    }
  }
}
