// The arithmetic of the forward pass. All matrices are row-major, strides count elements, and every function
// is pure but for its outputs.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define KERNELS_NULLABLE _Nullable
#else
#define KERNELS_NULLABLE
#endif

/// One set of kernels that some processors have.
///
/// What a function computes for a row of its output depends on that row's input alone, not on the rows beside
/// it in the same call: work may be cut into any tiles of rows. Two levels agree to the bit in `unpack_*`,
/// `quantize_*`, `pack_*` and `round_bf16`, elsewhere within rounding.
struct kernels {
  /// "portable", "avx2", "avx512" or "avx512-bf16".
  const char *name;
  /// 1 where `matmul_bf16` uses the processor's own products of bf16: then it is about twice as fast as one
  /// of f32.
  int has_bf16_products;
  /// 1 where `matmul_f32` uses all that the processor has, so that it is as fast as a product of f32 can be; elsewhere a
  /// library's does better.
  int has_f32_products;
  /// 1 where `matmul_int8` uses the processor's own products of bytes: then it is half as fast again as that
  /// of bf16.
  int has_int8_products;

  // Stored blocks, at any address, to 32-bit floats. `count` elements, a multiple of the type's block.

  void (*unpack_f16)(const void *source, float *destination, size_t count);
  void (*unpack_bf16)(const void *source, float *destination, size_t count);
  void (*unpack_q4_0)(const void *source, float *destination, size_t count);
  void (*unpack_q4_1)(const void *source, float *destination, size_t count);
  void (*unpack_q5_0)(const void *source, float *destination, size_t count);
  void (*unpack_q5_1)(const void *source, float *destination, size_t count);
  void (*unpack_q8_0)(const void *source, float *destination, size_t count);
  void (*unpack_q2_k)(const void *source, float *destination, size_t count);
  void (*unpack_q3_k)(const void *source, float *destination, size_t count);
  void (*unpack_q4_k)(const void *source, float *destination, size_t count);
  void (*unpack_q5_k)(const void *source, float *destination, size_t count);
  void (*unpack_q6_k)(const void *source, float *destination, size_t count);
  void (*unpack_iq4_nl)(const void *source, float *destination, size_t count);
  void (*unpack_iq4_xs)(const void *source, float *destination, size_t count);

  // 32-bit floats to stored blocks at any address, rounded as gguf-py does it. `count` elements, a multiple of the
  // type's block.

  void (*quantize_f16)(const float *source, void *destination, size_t count);
  void (*quantize_bf16)(const float *source, void *destination, size_t count);
  void (*quantize_q4_0)(const float *source, void *destination, size_t count);
  void (*quantize_q4_1)(const float *source, void *destination, size_t count);
  void (*quantize_q5_0)(const float *source, void *destination, size_t count);
  void (*quantize_q5_1)(const float *source, void *destination, size_t count);
  void (*quantize_q8_0)(const float *source, void *destination, size_t count);
  // gguf-py does not have these; their error is no greater than that of llama.cpp's.
  void (*quantize_q4_k)(const float *source, void *destination, size_t count);
  void (*quantize_q5_k)(const float *source, void *destination, size_t count);
  void (*quantize_q6_k)(const float *source, void *destination, size_t count);
  /// The place of the first number that is infinite or none, or `count`.
  size_t (*first_beyond)(const float *source, float limit, size_t count);

  /// out = x / sqrt(mean(x^2) + epsilon) * weight, for each of `rows` rows of `width`. `out` may be `x`.
  void (*rms_norm)(const float *x, const float *weight, float epsilon, size_t rows, size_t width, float *out);
  /// out = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias, with the biased variance; no bias
  /// where NULL. `out` may be `x`.
  void (*layer_norm)(const float *x, const float *weight, const float *KERNELS_NULLABLE bias, float epsilon,
                     size_t rows, size_t width, float *out);
  /// gate = gate * sigmoid(gate) * up
  void (*silu_gate)(float *gate, const float *up, size_t count);
  /// Turns pairs (i, i + pairs) of a head (`interleaved`: pairs (2i, 2i + 1)) by the angles whose cosines and
  /// sines are given, `pairs` of each.
  void (*rotate_head)(float *head, const float *cosines, const float *sines, size_t pairs, int interleaved);
  /// x *= factor
  void (*scale_all)(float *x, float factor, size_t count);
  /// x += y * scale
  void (*add_scaled)(float *x, const float *y, float scale, size_t count);
  /// log(sum(exp(row))), summed in double precision, and the first index of the greatest.
  double (*log_sum_exp)(const float *row, size_t count, size_t *greatest);

  /// One step of the softmax of attention in blocks of keys: `rows` queries against `columns` keys.
  ///
  /// Row r sees the columns first[r] ..< last[r], within 0 ..< columns, and has seen others in steps before,
  /// whose greatest score is maximum[r] and whose sum of exp(score - maximum[r]) is sum[r]: -INFINITY and 0
  /// before the first step. Both are brought up to date, row r of `out` (rows, width) is multiplied by
  /// exp(old maximum - new maximum), and the scores (rows, columns), already scaled, become exp(score -
  /// maximum[r]), zeros where unseen. For a row that sees nothing, only zeros are written.
  void (*softmax_step)(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *first,
                       const int32_t *last, float *maximum, float *sum, float *out, size_t out_stride,
                       size_t width);
  /// The same, with the exponentials rounded to bf16, as `round_bf16` does, and written to `probabilities`
  /// (rows, columns padded with zero to even). `sum` is of the rounded ones. The scores' contents are lost.
  void (*softmax_step_bf16)(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *first,
                            const int32_t *last, float *maximum, float *sum, float *out, size_t out_stride,
                            size_t width, uint16_t *probabilities, size_t probabilities_stride);

  // Products of bf16 with sums in f32. One factor is packed first: B (n outputs, k inputs).

  /// The elements that B takes when packed.
  size_t (*packed_size)(size_t n, size_t k);
  /// B as `n` rows of `k`: a weight, or keys. Rounds to nearest even.
  void (*pack_rows)(const float *source, size_t stride, size_t n, size_t k, uint16_t *packed);
  /// The same from contiguous stored bf16 rows, at any address.
  void (*pack_rows_bf16)(const void *source, size_t n, size_t k, uint16_t *packed);
  /// B as `k` rows of `n`: values. Rounds to nearest even.
  void (*pack_columns)(const float *source, size_t stride, size_t k, size_t n, uint16_t *packed);
  /// `rows` rows of `k`, rounded to nearest even, each padded with zero to an even number. Numbers below the
  /// normal ones (2^-126) become zero, as the processor's own conversion has it.
  void (*round_bf16)(const float *source, size_t stride, size_t rows, size_t k, uint16_t *destination,
                     size_t destination_stride);
  /// c(m, n) = alpha * a(m, k) * B transposed, plus c where `accumulate` is not 0. `a` is as `round_bf16`
  /// writes it.
  void (*matmul_bf16)(const uint16_t *a, size_t a_stride, const uint16_t *packed, float *c, size_t c_stride,
                      size_t m, size_t n, size_t k, float alpha, int accumulate);

  // Products of f32, packed like those of bf16: B takes n, rounded up to a multiple of 32, times k floats.

  /// B as `n` rows of `k`.
  void (*pack_rows_f32)(const float *source, size_t stride, size_t n, size_t k, float *packed);
  /// B as `k` rows of `n`.
  void (*pack_columns_f32)(const float *source, size_t stride, size_t k, size_t n, float *packed);
  /// c(m, n) = alpha * a(m, k) * B transposed, plus c where `accumulate` is not 0.
  void (*matmul_f32)(const float *a, size_t a_stride, const float *packed, float *c, size_t c_stride, size_t m,
                     size_t n, size_t k, float alpha, int accumulate);

  // Products of one row, straight from stored rows: what a generated token needs, where packing would cost more than it
  // saves.

  /// out[j] = x . row j, for `n` rows of `k` floats.
  void (*dot_rows)(const float *x, const float *rows, size_t stride, size_t n, size_t k, float *out);
  /// The same for contiguous stored bf16 rows, at any address.
  void (*dot_rows_bf16)(const float *x, const void *rows, size_t n, size_t k, float *out);

  // Products of bytes, for weights stored in blocks of 32 numbers of at most 8 bits: faster than those of
  // bf16, and less exact, since the other factor is rounded to 8 bits in blocks of 32 too. `k` is a multiple
  // of the stored type's block.

  /// The bytes that a weight (n outputs, k inputs) takes when packed.
  size_t (*packed_int8_size)(size_t n, size_t k);
  /// A weight from its stored rows, at any address.
  void (*pack_q8_0)(const void *source, size_t n, size_t k, void *packed);
  void (*pack_q4_0)(const void *source, size_t n, size_t k, void *packed);
  void (*pack_q4_k)(const void *source, size_t n, size_t k, void *packed);
  void (*pack_q5_k)(const void *source, size_t n, size_t k, void *packed);
  /// `rows` rows of `k`, in blocks of 32 of one scale each: `values` (rows, k), and in `scales` (rows, k /
  /// 16) for each block its scale, and its scale times the sum of its values.
  void (*round_int8)(const float *source, size_t stride, size_t rows, size_t k, int8_t *values,
                     size_t values_stride, float *scales, size_t scales_stride);
  /// c(m, n) = a(m, k) * weight transposed, with `a` as `round_int8` writes it.
  void (*matmul_int8)(const int8_t *a, size_t a_stride, const float *scales, size_t scales_stride,
                      const void *packed, float *c, size_t c_stride, size_t m, size_t n, size_t k);
};

/// The levels from 0, the portable one, up. NULL where this processor lacks the level, and beyond the last.
const struct kernels *KERNELS_NULLABLE kernels_at(int level);
/// The best level that this processor has.
const struct kernels *kernels_best(void);

#undef KERNELS_NULLABLE
#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
