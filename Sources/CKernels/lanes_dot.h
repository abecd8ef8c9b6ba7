// Products of one row with stored rows: four stored rows at a time, each with two sums.
#pragma once

enum { dotted_rows = 4 };

/// Multiplies x by `rows` stored rows. `source` has floats or bf16, `stride` bytes from row to row.
INLINE void dot_some(const int rows, const float *x, const char *source, size_t stride, size_t k, float *out,
                     const int is_bf16) {
  floats sums[dotted_rows][2];
  for (int row = 0; row < rows; row++) sums[row][0] = sums[row][1] = all(0);
  for (size_t i = 0; i < k; i += 2 * lanes) {
    long left = (long)(k - i);
    floats first = load_some(x + i, left, 0), second = load_some(x + i + lanes, left - lanes, 0);
    if (is_bf16) split_pairs(first, second, &first, &second);
    for (int row = 0; row < rows; row++) {
      const char *from = source + (size_t)row * stride;
      if (is_bf16) {
        words pairs = load_some_halves(from + 2 * i, left);
        sums[row][0] = multiply_add(first, even_bf16(pairs), sums[row][0]);
        sums[row][1] = multiply_add(second, odd_bf16(pairs), sums[row][1]);
      } else {
        const float *numbers = (const float *)(const void *)from + i;
        sums[row][0] = multiply_add(first, load_some(numbers, left, 0), sums[row][0]);
        sums[row][1] = multiply_add(second, load_some(numbers + lanes, left - lanes, 0), sums[row][1]);
      }
    }
  }
  for (int row = 0; row < rows; row++) out[row] = total(add(sums[row][0], sums[row][1]));
}

INLINE void dot_all(const float *x, const char *source, size_t stride, size_t n, size_t k, float *out,
                    const int is_bf16) {
  size_t j = 0;
  for (; j + dotted_rows <= n; j += dotted_rows)
    dot_some(dotted_rows, x, source + j * stride, stride, k, out + j, is_bf16);
  for (; j < n; j++) dot_some(1, x, source + j * stride, stride, k, out + j, is_bf16);
}

static LEVEL void lanes_dot_rows(const float *x, const float *rows, size_t stride, size_t n, size_t k, float *out) {
  dot_all(x, (const char *)rows, stride * sizeof *rows, n, k, out, 0);
}

static LEVEL void lanes_dot_rows_bf16(const float *x, const void *rows, size_t n, size_t k, float *out) {
  dot_all(x, rows, 2 * k, n, k, out, 1);
}
