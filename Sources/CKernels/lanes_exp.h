// Exponentials, and the functions that use them.
#pragma once

/// Splits e^x into 2^n, with a whole n, and the returned factor, with a relative error of 2e-7.
///
/// e^x = 2^n e^r with |r| <= log(2) / 2, where a polynomial of degree 6 has an error of 4e-9.
INLINE floats split_exponential(floats x, floats *n) {
  *n = nearest_integer(multiply(x, all(0x1.715476p0f)));
  // log(2) in two parts: n times the first part has almost no rounding error.
  floats r = multiply_add(*n, all(-0x1.62e4p-1f), x);
  r = multiply_add(*n, all(-0x1.7f7d1cp-20f), r);
  floats sum = all(0x1.6a2434p-10f);
  sum = multiply_add(sum, r, all(0x1.1239e2p-7f));
  sum = multiply_add(sum, r, all(0x1.5558f2p-5f));
  sum = multiply_add(sum, r, all(0x1.555492p-3f));
  sum = multiply_add(sum, r, all(0x1.fffffcp-2f));
  return multiply_add(multiply_add(sum, r, all(1)), r, all(1));
}

/// e^x; infinity from 89 up, 0 from -104 down, NaN for NaN.
INLINE floats exponential(floats x) {
  x = lesser(all(89), greater(all(-105), x));  // This order of arguments keeps a NaN.
  floats n, factor = split_exponential(x, &n);
  return times_power(factor, n);
}

/// e^x for x <= 0; 0 below -87, where e^x is not a normal number, and NaN for NaN.
INLINE floats falling_exponential(floats x) {
  floats n, factor = split_exponential(x, &n);
  return zero_if_less(x, all(-87), times_normal_power(factor, n));
}

/// e^x for x <= 0 with a relative error of 3e-6, which is enough before rounding to bf16 (error
/// 2e-3).
///
/// e^x = 2^n 2^r with a whole n and |r| <= 1/2.
INLINE floats coarse_exponential(floats x) {
  floats power = greater(all(-150), multiply(x, all(0x1.715476p0f))), n = nearest_integer(power);
  floats r = subtract(power, n), sum = all(0x1.3a02ccp-7f);
  sum = multiply_add(sum, r, all(0x1.c9fc46p-5f));
  sum = multiply_add(sum, r, all(0x1.ec0378p-3f));
  sum = multiply_add(sum, r, all(0x1.62e12cp-1f));
  return times_power(multiply_add(sum, r, all(1)), n);
}

static LEVEL void lanes_silu_gate(float *gate, const float *up, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    long left = (long)(count - i);
    floats x = load_some(gate + i, left, 0), denominator = add(all(1), exponential(subtract(all(0), x)));
    store_some(gate + i, left, multiply(divide(x, denominator), load_some(up + i, left, 0)));
  }
}

static LEVEL void lanes_silu_gate_gradient(float *gate, float *up, const float *gradient, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    long left = (long)(count - i);
    floats x = load_some(gate + i, left, 0), slope = load_some(gradient + i, left, 0);
    floats share = divide(all(1), add(all(1), exponential(subtract(all(0), x))));
    floats steepness = multiply(share, add(all(1), multiply(x, subtract(all(1), share))));
    store_some(gate + i, left, multiply(multiply(slope, load_some(up + i, left, 0)), steepness));
    store_some(up + i, left, multiply(multiply(slope, x), share));
  }
}

static LEVEL void lanes_softmax_gradient(const float *probabilities, size_t stride, float *gradient,
                                         size_t gradient_stride, size_t rows, size_t columns, const float *sums,
                                         float scale) {
  for (size_t row = 0; row < rows; row++, probabilities += stride, gradient += gradient_stride) {
    floats sum = all(sums[row]);
    for (size_t i = 0; i < columns; i += lanes) {
      long left = (long)(columns - i);
      floats change = subtract(load_some(gradient + i, left, 0), sum);
      floats scaled = multiply(multiply(load_some(probabilities + i, left, 0), change), all(scale));
      store_some(gradient + i, left, scaled);
    }
  }
}

/// Loads the lanes from number i of a row on; -INFINITY for numbers outside from ..< to.
INLINE floats load_seen(const float *row, size_t i, size_t from, size_t to) {
  if (from <= i && i + lanes <= to) return load(row + i);
  return load_masked(row + i, lanes_between((long)from - (long)i, (long)to - (long)i), all(-INFINITY));
}

INLINE float greatest_seen(const float *row, size_t from, size_t to) {
  // Two at a time, because each must wait for the one before.
  floats even = all(-INFINITY), odd = even;
  size_t i = from / lanes * lanes;
  for (; i < from && i < to; i += lanes) even = greater(load_seen(row, i, from, to), even);
  for (; i + 2 * lanes <= to; i += 2 * lanes) {
    even = greater(load(row + i), even);
    odd = greater(load(row + i + lanes), odd);
  }
  for (; i < to; i += lanes) even = greater(load_seen(row, i, from, to), even);
  return greatest_lane(greater(even, odd));
}

static LEVEL double lanes_log_sum_exp(const float *row, size_t count, size_t *greatest) {
  float most = greatest_seen(row, 0, count);
  *greatest = 0;
  for (size_t i = 0; i < count; i += lanes) {
    unsigned equal = equal_lanes(load_seen(row, i, 0, count), all(most));
    if (!equal) continue;
    *greatest = i + (size_t)__builtin_ctz(equal);
    break;
  }
  doubles sum = all_doubles(0);
  for (size_t i = 0; i < count; i += lanes)
    sum = add_doubles(sum, widen(exponential(subtract(load_seen(row, i, 0, count), all(most)))));
  return (double)most + log(total_doubles(sum));
}

/// Updates a row's maximum, sum and output for the scores that it now sees. Returns 0 if it still
/// sees nothing.
INLINE int raise_maximum(const float *scores, size_t from, size_t to, float *maximum, float *sum, float *out,
                         size_t width) {
  float before = *maximum, now = greatest_seen(scores, from, to);
  now = now > before ? now : before;
  if (from == to || now == -INFINITY) return 0;
  if (now == before) return 1;
  floats correction = exponential(all(before - now));
  *maximum = now;
  *sum *= greatest_lane(correction);
  lanes_scale_all(out, greatest_lane(correction), width);
  return 1;
}

static LEVEL void lanes_softmax_step(float *scores, size_t stride, size_t rows, size_t columns,
                                     const int32_t *first, const int32_t *last, float *maximum, float *sum,
                                     float *out, size_t out_stride, size_t width) {
  for (size_t row = 0; row < rows; row++, scores += stride, out += out_stride) {
    size_t from, to;
    seen_columns(first[row], last[row], columns, &from, &to);
    if (!raise_maximum(scores, from, to, maximum + row, sum + row, out, width)) from = to = 0;
    floats added = all(0), greatest = all(maximum[row]);
    for (size_t i = 0; i < columns; i += lanes) {
      floats power = all(0);
      if (i < to && i + lanes > from)
        power = falling_exponential(subtract(load_seen(scores, i, from, to), greatest));
      store_some(scores + i, (long)(columns - i), power);
      added = add(added, power);
    }
    sum[row] += total(added);
  }
}

#if defined(POWERS_BY_TABLE)
/// The sum of the exponentials of a row.
typedef struct {
  floats sum;
  /// Lanes that had a NaN or infinity, of which `powers_by_table` makes 0.
  lane_mask unordered;
} power_sum;

/// Rounds two registers of exp(score - maximum) to bf16 and adds them, as rounded, to the sum.
/// `shift` is 127 * 128 - maximum * octave.
INLINE words add_powers(floats first, floats second, floats shift, power_sum *added) {
  floats x = multiply_add(first, all(octave), shift), y = multiply_add(second, all(octave), shift);
  words powers = powers_by_table(x, y);
  added->sum = add_products(added->sum, powers, all_words(0x3F803F80));  // Times 1 and 1.
  added->unordered |= unordered_lanes(x, y);
  return powers;
}

/// Writes exp(score - maximum), rounded to bf16, for a row of scores, and 0 for unseen ones. Returns
/// the sum of what it has written.
INLINE float round_powers(const float *scores, size_t from, size_t to, size_t padded, float maximum,
                          uint16_t *probabilities) {
  const size_t step = 2 * lanes;
  const floats shift = all(127 * 128 - maximum * octave);
  power_sum added = {all(0), 0};
  for (size_t i = 0; i < padded; i += step) {
    words powers = no_words();
    if (from <= i && i + step <= to)
      powers = add_powers(load(scores + i), load(scores + i + lanes), shift, &added);
    else if (i < to && i + step > from)
      powers =
          add_powers(load_seen(scores, i, from, to), load_seen(scores, i + lanes, from, to), shift, &added);
    store_some_words(probabilities + i, powers, (long)(padded - i));
  }
  return added.unordered ? NAN : total(added.sum);
}
#else
INLINE float round_powers(const float *scores, size_t from, size_t to, size_t padded, float maximum,
                          uint16_t *probabilities) {
  floats added = all(0), greatest = all(maximum);
  for (size_t i = 0; i < padded; i += lanes) {
    floats power = all(0);
    if (i < to && i + lanes > from)
      power = coarse_exponential(subtract(load_seen(scores, i, from, to), greatest));
    halves rounded = round_lanes(power);
    store_halves(probabilities + i, rounded, (long)(padded - i));
    added = add(added, even_bf16(widen_halves(rounded)));
  }
  return total(added);
}
#endif

static LEVEL void lanes_softmax_step_bf16(float *scores, size_t stride, size_t rows, size_t columns,
                                          const int32_t *first, const int32_t *last, float *maximum,
                                          float *sum, float *out, size_t out_stride, size_t width,
                                          uint16_t *probabilities, size_t probabilities_stride) {
  size_t padded = 2 * pairs_of(columns);
  for (size_t row = 0; row < rows;
       row++, scores += stride, out += out_stride, probabilities += probabilities_stride) {
    size_t from, to;
    seen_columns(first[row], last[row], columns, &from, &to);
    if (!raise_maximum(scores, from, to, maximum + row, sum + row, out, width)) from = to = 0;
    sum[row] += round_powers(scores, from, to, padded, maximum[row], probabilities);
  }
}
