// Products of bf16, in tiles of the output.
//
// The sums of a tile (some rows by two registers of outputs) stay in registers during the loop over
// k. Two more registers hold a row of pairs of the panel, and one holds a pair of `a`, repeated.
// There is one function for each number of rows in a tile. Outputs beyond the last are zero in the
// panel and are not stored. Every sum adds along k in the same order, whatever the tile.
//
//                   panel:  | pairs  | pairs  |
//     a: | pair |  (row 0)  | sums   | sums   |
//        | pair |  (row 1)  | sums   | sums   |
//          ...
#pragma once

// Registers for the sums, the panel and `a`: 28 + 2 + 1 of 32. Without dot products the panel and
// `a` take twice as many: 24 + 4 + 2 of 32, or 8 + 4 + 2 of 16. Products of squares need 24 + 4 + 1
// of 32.
#if defined(SQUARE_PRODUCTS)
#define TILE_ROWS 12
#elif defined(BF16_PRODUCTS)
#define TILE_ROWS 14
#elif LANES == 8
#define TILE_ROWS 4
#else
#define TILE_ROWS 12
#endif

/// `depth` pairs of a tile's rows of `a` fit in the first-level cache, and `depth` pairs of some
/// panels in the second-level cache.
enum { tile_outputs = 2 * lanes, depth = 512 };

/// Computes the sums of a tile. For products of squares `a` is as pair_rows writes it.
INLINE void sum_tile(const int rows, const uint16_t *a, size_t a_stride, const uint16_t *b, size_t pairs,
                     floats sums[][2]) {
#if defined(SQUARE_PRODUCTS)
  words squares[TILE_ROWS][2];
  (void)a_stride;
  multiply_squares(rows, (const uint8_t *)a, (const uint8_t *)b, pairs, squares, 1);
#pragma GCC unroll 12
  for (int row = 0; row < rows; row++)
    for (int i = 0; i < 2; i++) sums[row][i] = (floats)squares[row][i];
#else
#pragma GCC unroll 14
  for (int row = 0; row < rows; row++) sums[row][0] = sums[row][1] = all(0);
  for (size_t pair = 0; pair < pairs; pair++, b += 2 * panel_outputs) {
    words low = load_words(b), high = load_words(b + 2 * lanes);
#pragma GCC unroll 14
    for (int row = 0; row < rows; row++) {
      int word;
      memcpy(&word, a + (size_t)row * a_stride + 2 * pair, 4);
      words repeated = all_words(word);
#if defined(BF16_PRODUCTS)
      sums[row][0] = add_products(sums[row][0], low, repeated);
      sums[row][1] = add_products(sums[row][1], high, repeated);
#else
      floats even = even_bf16(repeated), odd = odd_bf16(repeated);
      sums[row][0] = multiply_add(odd, odd_bf16(low), multiply_add(even, even_bf16(low), sums[row][0]));
      sums[row][1] = multiply_add(odd, odd_bf16(high), multiply_add(even, even_bf16(high), sums[row][1]));
#endif
    }
  }
#endif
}

/// Stores the sums of a tile: c = alpha * sums, plus c if `accumulate` is not 0.
INLINE void store_tile(const int rows, floats sums[][2], float *c, size_t c_stride, long left, float alpha,
                       int accumulate) {
  if (left >= tile_outputs) {  // Stores by a mask take many cycles on some processors.
#pragma GCC unroll 14
    for (int row = 0; row < rows; row++, c += c_stride) {
      store(c, multiply_add(all(alpha), sums[row][0], accumulate ? load(c) : all(0)));
      store(c + lanes, multiply_add(all(alpha), sums[row][1], accumulate ? load(c + lanes) : all(0)));
    }
    return;
  }
  lane_mask low_outputs = first_lanes(left), high_outputs = first_lanes(left - lanes);
#pragma GCC unroll 14
  for (int row = 0; row < rows; row++, c += c_stride) {
    floats low = accumulate ? load_masked(c, low_outputs, all(0)) : all(0);
    floats high = accumulate ? load_masked(c + lanes, high_outputs, all(0)) : all(0);
    store_masked(c, low_outputs, multiply_add(all(alpha), sums[row][0], low));
    store_masked(c + lanes, high_outputs, multiply_add(all(alpha), sums[row][1], high));
  }
}

INLINE void multiply_tile(const int rows, const uint16_t *a, size_t a_stride, const uint16_t *b, size_t pairs,
                          float *c, size_t c_stride, long left, float alpha, int accumulate) {
  floats sums[TILE_ROWS][2];
  sum_tile(rows, a, a_stride, b, pairs, sums);
  store_tile(rows, sums, c, c_stride, left, alpha, accumulate);
}

typedef void tile_function(const uint16_t *a, size_t a_stride, const uint16_t *b, size_t pairs, float *c,
                           size_t c_stride, long left, float alpha, int accumulate);

#define TILE(rows)                                                                                      \
  static LEVEL void tile_of_##rows(const uint16_t *a, size_t a_stride, const uint16_t *b, size_t pairs, \
                                   float *c, size_t c_stride, long left, float alpha, int accumulate) { \
    multiply_tile(rows, a, a_stride, b, pairs, c, c_stride, left, alpha, accumulate);                   \
  }
// clang-format off
#define FIRST_FOUR(X) X(1) X(2) X(3) X(4)
#if TILE_ROWS == 14
#define EACH_TILE(X) FIRST_FOUR(X) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif TILE_ROWS == 12
#define EACH_TILE(X) FIRST_FOUR(X) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define EACH_TILE(X) FIRST_FOUR(X)
#endif
// clang-format on
#define TILE_NAME(rows) tile_of_##rows,

EACH_TILE(TILE)
static tile_function *const tiles[] = {EACH_TILE(TILE_NAME)};

static LEVEL void lanes_matmul_bf16(const uint16_t *a, size_t a_stride, const uint16_t *packed, size_t packed_k,
                                    float *c, size_t c_stride, size_t m, size_t n, size_t k, float alpha,
                                    int accumulate) {
  size_t pairs = pairs_of(k), panel_pairs = pairs_of(packed_k), blocks = (m + TILE_ROWS - 1) / TILE_ROWS;
  for (size_t start = 0; start == 0 || start < pairs; start += depth) {
    size_t some = pairs - start < depth ? pairs - start : depth;
    for (size_t block = 0; block < blocks; block++) {
      // Tiles of equal size as far as possible, because a tile of few rows is slow.
      size_t row = block * m / blocks, rows = (block + 1) * m / blocks - row;
      const uint16_t *first = a + row * a_stride + 2 * start;
#if defined(SQUARE_PRODUCTS)
      uint16_t paired[TILE_ROWS * 2 * depth];
      pair_rows(first, 2 * a_stride, rows, some, (uint8_t *)paired);
      first = paired;
#endif
      for (size_t j = 0; j < n; j += tile_outputs) {
        const uint16_t *b = packed + (j / panel_outputs * panel_pairs * panel_outputs + j % panel_outputs) * 2;
        tiles[rows - 1](first, a_stride, b + start * panel_outputs * 2, some, c + row * c_stride + j, c_stride,
                        (long)(n - j), alpha, accumulate || start > 0);
      }
    }
  }
}

// Products of 32-bit floats. Panels hold k rows of 32 numbers.

// Registers for the sums, the panel and `a`: 28 + 2 + 1 of 32 or 12 + 2 + 1 of 16, or 16 + 2 + 8 of
// 32 if products by a lane of `a` need a register for each row.
#if LANES == 16
#define FLOAT_TILE_ROWS 14
#elif LANES == 8
#define FLOAT_TILE_ROWS 6
#else
#define FLOAT_TILE_ROWS 8
#endif

/// The greatest depth along k of one pass over the outputs. At 256, a tile's rows of `a` and a panel
/// fit in the first-level cache. Tiles of few rows read panels from the second-level cache anyway,
/// and fewer passes store the outputs less often.
enum { float_depth = LANES == 8 ? 512 : 256 };

/// Adds a repeated input of a row times two registers of outputs.
INLINE void add_input(floats repeated, floats low, floats high, floats sums[2]) {
  sums[0] = multiply_add(repeated, low, sums[0]);
  sums[1] = multiply_add(repeated, high, sums[1]);
}

INLINE void multiply_float_tile(const int rows, const float *a, size_t a_stride, const float *b, size_t k, float *c,
                                size_t c_stride, long left, float alpha, int accumulate) {
  floats sums[FLOAT_TILE_ROWS][2];
  size_t i = 0;
#pragma GCC unroll 14
  for (int row = 0; row < rows; row++) sums[row][0] = sums[row][1] = all(0);
#if LANES == 4
  for (; i + loaded_words <= k; i += loaded_words) {
    words some[FLOAT_TILE_ROWS];
#pragma GCC unroll 14
    for (int row = 0; row < rows; row++) some[row] = load_repeatable(a + (size_t)row * a_stride + i);
#pragma GCC unroll 4
    for (int lane = 0; lane < loaded_words; lane++, b += panel_outputs) {
      floats low = load(b), high = load(b + lanes);
#pragma GCC unroll 14
      for (int row = 0; row < rows; row++)
        add_input((floats)repeat_word(some[row], lane), low, high, sums[row]);
    }
  }
#endif
  for (; i < k; i++, b += panel_outputs) {
    floats low = load(b), high = load(b + lanes);
#pragma GCC unroll 14
    for (int row = 0; row < rows; row++) add_input(all(a[(size_t)row * a_stride + i]), low, high, sums[row]);
  }
  store_tile(rows, sums, c, c_stride, left, alpha, accumulate);
}

typedef void float_tile_function(const float *a, size_t a_stride, const float *b, size_t k, float *c, size_t c_stride,
                                 long left, float alpha, int accumulate);
#define FLOAT_TILE(rows)                                                                                      \
  static LEVEL void float_tile_of_##rows(const float *a, size_t a_stride, const float *b, size_t k, float *c, \
                                         size_t c_stride, long left, float alpha, int accumulate) {           \
    multiply_float_tile(rows, a, a_stride, b, k, c, c_stride, left, alpha, accumulate);                       \
  }
// clang-format off
#if FLOAT_TILE_ROWS == 14
#define EACH_FLOAT_TILE(X) FIRST_FOUR(X) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif FLOAT_TILE_ROWS == 6
#define EACH_FLOAT_TILE(X) FIRST_FOUR(X) X(5) X(6)
#else
#define EACH_FLOAT_TILE(X) FIRST_FOUR(X) X(5) X(6) X(7) X(8)
#endif
// clang-format on
#define FLOAT_TILE_NAME(rows) float_tile_of_##rows,

EACH_FLOAT_TILE(FLOAT_TILE)
static float_tile_function *const float_tiles[] = {EACH_FLOAT_TILE(FLOAT_TILE_NAME)};

static LEVEL void lanes_matmul_f32(const float *a, size_t a_stride, const float *packed, size_t packed_k, float *c,
                                   size_t c_stride, size_t m, size_t n, size_t k, float alpha, int accumulate) {
  size_t blocks = (m + FLOAT_TILE_ROWS - 1) / FLOAT_TILE_ROWS;
  size_t passes = k > float_depth ? (k + float_depth - 1) / float_depth : 1;
  for (size_t pass = 0; pass < passes; pass++) {
    size_t start = pass * k / passes, some = (pass + 1) * k / passes - start;
    for (size_t block = 0; block < blocks; block++) {
      size_t row = block * m / blocks, rows = (block + 1) * m / blocks - row;
      const float *first = a + row * a_stride + start;
      size_t first_stride = a_stride;
#if FLOAT_TILE_ROWS > 6
      // So many rows that are a power of two apart would evict each other from the cache.
      float near[FLOAT_TILE_ROWS * float_depth];
      for (size_t i = 0; i < rows; i++)
        memcpy(near + i * float_depth, first + i * a_stride, some * sizeof *near);
      first = near;
      first_stride = float_depth;
#endif
      for (size_t j = 0; j < n; j += tile_outputs) {
        const float *b = packed + j / panel_outputs * panel_outputs * packed_k + j % panel_outputs;
        float_tiles[rows - 1](first, first_stride, b + start * panel_outputs, some, c + row * c_stride + j,
                              c_stride, (long)(n - j), alpha, accumulate || pass > 0);
      }
    }
  }
}

static LEVEL void lanes_pack_rows_f32(const float *source, size_t stride, size_t n, size_t k, float *packed) {
  for (size_t output = 0; output < (n + panel_outputs - 1) / panel_outputs * panel_outputs; output += lanes) {
    float *panel = packed + output / panel_outputs * panel_outputs * k + output % panel_outputs;
    for (size_t i = 0; i < k; i += lanes) {
      words rows[lanes];
      for (size_t row = 0; row < lanes; row++)
        rows[row] = output + row >= n
                        ? no_words()
                        : (words)load_some(source + (output + row) * stride + i, (long)(k - i), 0);
      transpose(rows);
      for (size_t j = 0; j < lanes && i + j < k; j++) store_words(panel + (i + j) * panel_outputs, rows[j]);
    }
  }
}

static LEVEL void lanes_pack_columns_f32(const float *source, size_t stride, size_t k, size_t n, float *packed) {
  for (size_t output = 0; output < (n + panel_outputs - 1) / panel_outputs * panel_outputs; output += lanes) {
    float *panel = packed + output / panel_outputs * panel_outputs * k + output % panel_outputs;
    for (size_t i = 0; i < k; i++)
      store(panel + i * panel_outputs, load_some(source + i * stride + output, (long)n - (long)output, 0));
  }
}
