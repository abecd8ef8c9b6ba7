// Products of 2 x 2 matrices, for processors with Arm's FEAT_BF16 and FEAT_I8MM. One instruction
// multiplies two outputs by two rows of `a` along two words, which hold 4 inputs of bf16 or 8 bytes,
// and does twice the work of a dot product:
//
//                     row 0   row 1
//         output 0  | sum   | sum   |        += | word | word |  *  | word | word | transposed
//         output 1  | sum   | sum   |           | word | word |     | word | word |
//
// Words of the packed forms (levels.h, int8.h) stand one below the other, so two rows of a panel are
// zipped. The rows of `a` in a tile are copied first, so that one load reads two words of two rows,
// with zeros for what is missing:
//
//     words 0 and 1:  | row 0 | row 0 | row 1 | row 1 |   | row 2 | row 2 | row 3 | row 3 |   ...
//     words 2 and 3:  ...
#pragma once

enum { panel_bytes = 4 * panel_outputs };

/// Copies `count` words of some rows, with zeros for an absent row of the last pair. `stride` counts
/// bytes. `paired` has room for a multiple of four words.
INLINE void pair_rows(const void *a, size_t stride, size_t rows, size_t count, uint8_t *paired) {
  size_t step = (rows + 1) / 2 * 16;
  for (size_t row = 0; row < rows; row += 2) {
    const uint8_t *from = (const uint8_t *)a + row * stride;
    uint8_t *to = paired + 8 * row;
    for (size_t word = 0; word < count; word += 4, to += 2 * step) {
      long left = 2 * (long)(count - word);
      words x = load_some_halves(from + 4 * word, left);
      words y = row + 1 < rows ? load_some_halves(from + stride + 4 * word, left) : no_words();
      store_words(to, join_low_halves(x, y));
      store_words(to + step, join_high_halves(x, y));
    }
  }
}

INLINE words multiply_square(words sum, words outputs, words rows, const int is_bf16) {
  if (is_bf16)
    return vreinterpretq_u32_f32(vbfmmlaq_f32(vreinterpretq_f32_u32(sum), vreinterpretq_bf16_u32(outputs),
                                              vreinterpretq_bf16_u32(rows)));
  return vreinterpretq_u32_s32(
      vusmmlaq_s32(vreinterpretq_s32_u32(sum), vreinterpretq_u8_u32(outputs), vreinterpretq_s8_u32(rows)));
}

/// Adds the products of pairs of rows with two registers of outputs along two words. `first` and
/// `second` are the words of the panel.
INLINE void add_squares_of_words(const int row_pairs, const uint8_t *a, const words first[2],
                                 const words second[2], words sums[][4], const int is_bf16) {
  words outputs[4] = {zip_low_words(first[0], second[0]), zip_high_words(first[0], second[0]),
                      zip_low_words(first[1], second[1]), zip_high_words(first[1], second[1])};
#pragma GCC unroll 6
  for (int pair = 0; pair < row_pairs; pair++) {
    words rows = load_words(a + 16 * pair);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) sums[pair][i] = multiply_square(sums[pair][i], outputs[i], rows, is_bf16);
  }
}

/// Multiplies `count` words of paired rows with two registers of outputs, `panel_bytes` from word to
/// word. The sums of each row come out in two registers.
INLINE void multiply_squares(const int rows, const uint8_t *a, const uint8_t *b, size_t count,
                             words sums[][2], const int is_bf16) {
  const int row_pairs = (rows + 1) / 2;
  words squares[6][4];
#pragma GCC unroll 6
  for (int pair = 0; pair < row_pairs; pair++)
    squares[pair][0] = squares[pair][1] = squares[pair][2] = squares[pair][3] = no_words();
  // Unrolled, it would keep all zipped words in registers, which are too few.
#pragma GCC unroll 1
  for (; count >= 2; count -= 2, a += 16 * row_pairs, b += 2 * panel_bytes) {
    words first[2] = {load_words(b), load_words(b + 16)};
    words second[2] = {load_words(b + panel_bytes), load_words(b + panel_bytes + 16)};
    add_squares_of_words(row_pairs, a, first, second, squares, is_bf16);
  }
  if (count) {
    words first[2] = {load_words(b), load_words(b + 16)}, second[2] = {no_words(), no_words()};
    add_squares_of_words(row_pairs, a, first, second, squares, is_bf16);
  }
#pragma GCC unroll 12
  for (int row = 0; row < rows; row++) {
    const words *square = squares[row / 2];
    for (int i = 0; i < 2; i++)
      sums[row][i] = row % 2 ? vuzp2q_u32(square[2 * i], square[2 * i + 1])
                             : vuzp1q_u32(square[2 * i], square[2 * i + 1]);
  }
}
