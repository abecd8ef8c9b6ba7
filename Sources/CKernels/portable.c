// The portable kernels: the reference for the others.
#include "levels.h"

#include <math.h>

static void layer_norm(const float *x, const float *weight, const float *bias, float epsilon, size_t rows,
                       size_t width, float *out) {
  for (size_t row = 0; row < rows; row++, x += width, out += width) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < width; i++) sum += x[i];
    double mean = sum / (double)width;
    for (size_t i = 0; i < width; i++) squares += (x[i] - mean) * (x[i] - mean);
    float centre = (float)mean, scale = 1.0f / sqrtf((float)(squares / (double)width) + epsilon);
    for (size_t i = 0; i < width; i++) out[i] = (x[i] - centre) * scale * weight[i] + (bias ? bias[i] : 0);
  }
}

/// Updates a row's maximum, sum and output for the scores that it now sees. Returns 0 if it still
/// sees nothing.
static int raise_maximum(const float *scores, size_t from, size_t to, float *maximum, float *sum, float *out,
                         size_t width) {
  float greatest = *maximum;
  for (size_t i = from; i < to; i++) greatest = scores[i] > greatest ? scores[i] : greatest;
  if (from == to || greatest == -INFINITY) return 0;
  float correction = expf(*maximum - greatest);
  *maximum = greatest;
  *sum *= correction;
  if (correction != 1) scale_all(out, correction, width);
  return 1;
}

static void softmax_step(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *first,
                         const int32_t *last, float *maximum, float *sum, float *out, size_t out_stride,
                         size_t width) {
  for (size_t row = 0; row < rows; row++, scores += stride, out += out_stride) {
    size_t from, to;
    seen_columns(first[row], last[row], columns, &from, &to);
    if (!raise_maximum(scores, from, to, maximum + row, sum + row, out, width)) from = to = 0;
    float added = 0;
    for (size_t i = 0; i < columns; i++) {
      scores[i] = i >= from && i < to ? expf(scores[i] - maximum[row]) : 0;
      added += scores[i];
    }
    sum[row] += added;
  }
}

static void softmax_step_bf16(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *first,
                              const int32_t *last, float *maximum, float *sum, float *out, size_t out_stride,
                              size_t width, uint16_t *probabilities, size_t probabilities_stride) {
  for (size_t row = 0; row < rows;
       row++, scores += stride, out += out_stride, probabilities += probabilities_stride) {
    size_t from, to;
    seen_columns(first[row], last[row], columns, &from, &to);
    if (!raise_maximum(scores, from, to, maximum + row, sum + row, out, width)) from = to = 0;
    float added = 0;
    for (size_t i = 0; i < 2 * pairs_of(columns); i++) {
      probabilities[i] = i >= from && i < to ? to_bf16(expf(scores[i] - maximum[row])) : 0;
      added += from_bf16(probabilities[i]);
    }
    sum[row] += added;
  }
}

size_t packed_size(size_t n, size_t k) {
  return (n + panel_outputs - 1) / panel_outputs * panel_outputs * 2 * pairs_of(k);
}

/// The place of an element of B in its packed form.
static size_t packed_place(size_t output, size_t input, size_t k) {
  size_t panel = output / panel_outputs * pairs_of(k);
  return ((panel + input / 2) * panel_outputs + output % panel_outputs) * 2 + input % 2;
}

static void pack_rows(const float *source, size_t stride, size_t n, size_t k, uint16_t *packed) {
  memset(packed, 0, packed_size(n, k) * sizeof *packed);
  for (size_t j = 0; j < n; j++)
    for (size_t i = 0; i < k; i++) packed[packed_place(j, i, k)] = to_bf16(source[j * stride + i]);
}

static void pack_rows_bf16(const void *source, size_t n, size_t k, uint16_t *packed) {
  const uint8_t *bytes = source;
  memset(packed, 0, packed_size(n, k) * sizeof *packed);
  for (size_t j = 0; j < n; j++)
    for (size_t i = 0; i < k; i++) memcpy(packed + packed_place(j, i, k), bytes + 2 * (j * k + i), 2);
}

static void pack_columns(const float *source, size_t stride, size_t k, size_t n, uint16_t *packed) {
  memset(packed, 0, packed_size(n, k) * sizeof *packed);
  for (size_t i = 0; i < k; i++)
    for (size_t j = 0; j < n; j++) packed[packed_place(j, i, k)] = to_bf16(source[i * stride + j]);
}

static void round_bf16(const float *source, size_t stride, size_t rows, size_t k, uint16_t *destination,
                       size_t destination_stride) {
  for (size_t row = 0; row < rows; row++, source += stride, destination += destination_stride) {
    for (size_t i = 0; i < k; i++) destination[i] = to_bf16(source[i]);
    if (k % 2) destination[k] = 0;
  }
}

static void matmul_bf16(const uint16_t *a, size_t a_stride, const uint16_t *packed, size_t packed_k, float *c,
                        size_t c_stride, size_t m, size_t n, size_t k, float alpha, int accumulate) {
  for (size_t row = 0; row < m; row++, a += a_stride, c += c_stride) {
    for (size_t start = 0; start < n; start += panel_outputs) {
      const uint16_t *b = packed + packed_place(start, 0, packed_k);
      float sums[panel_outputs] = {0};
      for (size_t pair = 0; pair < pairs_of(k); pair++, b += 2 * panel_outputs) {
        float even = from_bf16(a[2 * pair]), odd = from_bf16(a[2 * pair + 1]);
        for (size_t j = 0; j < panel_outputs; j++)
          sums[j] += even * from_bf16(b[2 * j]) + odd * from_bf16(b[2 * j + 1]);
      }
      for (size_t j = 0; j < panel_outputs && start + j < n; j++)
        c[start + j] = (accumulate ? c[start + j] : 0) + alpha * sums[j];
    }
  }
}

static void pack_rows_f32(const float *source, size_t stride, size_t n, size_t k, float *packed) {
  for (size_t start = 0; start < n; start += panel_outputs)
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < panel_outputs; j++)
        *packed++ = start + j < n ? source[(start + j) * stride + i] : 0;
}

static void pack_columns_f32(const float *source, size_t stride, size_t k, size_t n, float *packed) {
  for (size_t start = 0; start < n; start += panel_outputs)
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < panel_outputs; j++) *packed++ = start + j < n ? source[i * stride + start + j] : 0;
}

static void matmul_f32(const float *a, size_t a_stride, const float *packed, size_t packed_k, float *c,
                       size_t c_stride, size_t m, size_t n, size_t k, float alpha, int accumulate) {
  for (size_t row = 0; row < m; row++, a += a_stride, c += c_stride) {
    for (size_t start = 0; start < n; start += panel_outputs) {
      const float *b = packed + start * packed_k;
      float sums[panel_outputs] = {0};
      for (size_t i = 0; i < k; i++, b += panel_outputs)
        for (size_t j = 0; j < panel_outputs; j++) sums[j] += a[i] * b[j];
      for (size_t j = 0; j < panel_outputs && start + j < n; j++)
        c[start + j] = (accumulate ? c[start + j] : 0) + alpha * sums[j];
    }
  }
}

static void dot_rows(const float *x, const float *rows, size_t stride, size_t n, size_t k, float *out) {
  for (size_t j = 0; j < n; j++, rows += stride) {
    float sums[8] = {0};
    for (size_t i = 0; i < k; i++) sums[i % 8] += x[i] * rows[i];
    out[j] = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  }
}

static void dot_rows_bf16(const float *x, const void *rows, size_t n, size_t k, float *out) {
  float some[256];
  const char *from = rows;
  for (size_t j = 0; j < n; j++) {
    out[j] = 0;
    for (size_t i = 0; i < k; i += 256) {
      size_t count = k - i < 256 ? k - i : 256;
      float sum;
      unpack_bf16(from, some, count);
      dot_rows(x + i, some, count, 1, count, &sum);
      out[j] += sum;
      from += 2 * count;
    }
  }
}

#define UNPACK_NAME(name) unpack_##name
#define QUANTIZE_NAME(name) quantize_##name
#define PACK_INT8_NAME(name) portable_pack_##name

// clang-format off
const struct kernels portable_kernels = {
    .name = "portable",
    TYPE_TABLES
    .first_beyond = quantize_first_beyond,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .silu_gate = silu_gate,
    .rotate_head = rotate_head,
    .scale_all = scale_all,
    .add_scaled = add_scaled,
    .log_sum_exp = log_sum_exp,
    .rms_norm_gradient = rms_norm_gradient,
    .layer_norm_gradient = layer_norm_gradient,
    .silu_gate_gradient = silu_gate_gradient,
    .softmax_gradient = softmax_gradient,
    .softmax_step = softmax_step,
    .softmax_step_bf16 = softmax_step_bf16,
    .packed_size = packed_size,
    .pack_rows = pack_rows,
    .pack_rows_bf16 = pack_rows_bf16,
    .pack_columns = pack_columns,
    .round_bf16 = round_bf16,
    .matmul_bf16 = matmul_bf16,
    .pack_rows_f32 = pack_rows_f32,
    .pack_columns_f32 = pack_columns_f32,
    .matmul_f32 = matmul_f32,
    .dot_rows = dot_rows,
    .dot_rows_bf16 = dot_rows_bf16,
    PORTABLE_INT8
};
// clang-format on
