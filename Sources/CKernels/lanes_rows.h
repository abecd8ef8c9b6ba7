// Row-wise functions.
#pragma once

#include <math.h>

/// Loads the next numbers of a row that has `left` more; `other` beyond the last.
INLINE floats load_some(const float *source, long left, float other) {
  return left >= lanes ? load(source) : load_masked(source, first_lanes(left), all(other));
}
INLINE void store_some(float *destination, long left, floats x) {
  if (left >= lanes)
    store(destination, x);
  else
    store_masked(destination, first_lanes(left), x);
}

static LEVEL void lanes_rms_norm(const float *x, const float *weight, float epsilon, size_t rows,
                                 size_t width, float *out) {
  for (size_t row = 0; row < rows; row++, x += width, out += width) {
    doubles sum = all_doubles(0);
    for (size_t i = 0; i < width; i += lanes)
      sum = add_squares(sum, widen(load_some(x + i, (long)(width - i), 0)));
    floats scale = all(1.0f / sqrtf((float)(total_doubles(sum) / (double)width) + epsilon));
    for (size_t i = 0; i < width; i += lanes) {
      long left = (long)(width - i);
      floats scaled = multiply(load_some(x + i, left, 0), scale);
      store_some(out + i, left, multiply(scaled, load_some(weight + i, left, 0)));
    }
  }
}

static LEVEL void lanes_layer_norm(const float *x, const float *weight, const float *bias, float epsilon,
                                   size_t rows, size_t width, float *out) {
  for (size_t row = 0; row < rows; row++, x += width, out += width) {
    doubles sum = all_doubles(0), squares = all_doubles(0);
    for (size_t i = 0; i < width; i += lanes)
      sum = add_doubles(sum, widen(load_some(x + i, (long)(width - i), 0)));
    double mean = total_doubles(sum) / (double)width;
    for (size_t i = 0; i < width; i += lanes) {
      // Lanes beyond the last get the mean, which adds nothing.
      floats some = load_some(x + i, (long)(width - i), (float)mean);
      squares = add_squares(squares, subtract_doubles(widen(some), all_doubles(mean)));
    }
    double variance = total_doubles(squares) / (double)width;
    floats centre = all((float)mean), scale = all(1.0f / sqrtf((float)variance + epsilon));
    for (size_t i = 0; i < width; i += lanes) {
      long left = (long)(width - i);
      floats scaled = multiply(subtract(load_some(x + i, left, 0), centre), scale);
      scaled = multiply(scaled, load_some(weight + i, left, 0));
      store_some(out + i, left, bias ? add(scaled, load_some(bias + i, left, 0)) : scaled);
    }
  }
}

static LEVEL void lanes_scale_all(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    long left = (long)(count - i);
    store_some(x + i, left, multiply(load_some(x + i, left, 0), all(factor)));
  }
}

static LEVEL void lanes_add_scaled(float *x, const float *y, float scale, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    long left = (long)(count - i);
    floats scaled = multiply(load_some(y + i, left, 0), all(scale));
    store_some(x + i, left, add(load_some(x + i, left, 0), scaled));
  }
}

static LEVEL void lanes_rotate_head(float *head, const float *cosines, const float *sines, size_t pairs,
                                    int interleaved) {
  for (size_t i = 0; i < pairs; i += lanes) {
    long left = (long)(pairs - i);
    floats cosine = load_some(cosines + i, left, 0), sine = load_some(sines + i, left, 0), x, y;
    float *a = interleaved ? head + 2 * i : head + i, *b = interleaved ? a + lanes : a + pairs;
    long a_left = interleaved ? 2 * left : left, b_left = interleaved ? 2 * left - lanes : left;
    floats first = load_some(a, a_left, 0), second = load_some(b, b_left, 0);
    if (interleaved)
      split_pairs(first, second, &x, &y);
    else
      x = first, y = second;
    floats turned_x = subtract(multiply(x, cosine), multiply(y, sine));
    floats turned_y = add(multiply(y, cosine), multiply(x, sine));
    if (interleaved)
      join_pairs(turned_x, turned_y, &first, &second);
    else
      first = turned_x, second = turned_y;
    store_some(a, a_left, first);
    store_some(b, b_left, second);
  }
}
