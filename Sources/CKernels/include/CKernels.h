// The arithmetic of the forward pass. All matrices are row-major, strides count elements, and
// functions have no effects except on their outputs.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "element_types.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define KERNELS_NULLABLE _Nullable
#else
#define KERNELS_NULLABLE
#endif

typedef void (*unpack_function)(const void *source, float *destination, size_t count);
typedef void (*quantize_function)(const float *source, void *destination, size_t count);
typedef void (*pack_int8_function)(const void *source, size_t n, size_t k, void *packed);

/// A level: the set of kernels for one instruction set.
///
/// Each row of an output depends only on that row's input, not on the other rows in the same call,
/// so work may be cut into any tiles of rows. Two levels agree bit for bit in `unpack`, `quantize`,
/// `pack_*` and `round_bf16`, and elsewhere within rounding.
struct kernels {
  /// "portable"; "avx2", "avx512" or "avx512-bf16"; "neon", "neon-dotprod" or "neon-bf16".
  const char *name;
  /// 1 if `matmul_bf16` uses the processor's own bf16 products. It is then at least twice as fast as
  /// a product of f32. Arm's products round each sum to an odd last bit, and treat subnormal numbers
  /// as zero.
  int has_bf16_products;
  /// 0 on the portable level, whose `matmul_f32` is slower than a library's product.
  int has_f32_products;
  /// 1 if `matmul_int8` uses the processor's own 8-bit products and is faster than the level's other
  /// products, about 1.5 times.
  int has_int8_products;

  // Indexed by element type; NULL for a type that lacks the operation.

  /// Unpacks stored blocks, at any address, to `count` 32-bit floats, a multiple of the block's
  /// elements.
  unpack_function KERNELS_NULLABLE unpack[element_type_numbers];
  /// Packs `count` 32-bit floats into stored blocks, rounded as gguf-py does it. gguf-py lacks the
  /// K types; their error is at most that of llama.cpp.
  quantize_function KERNELS_NULLABLE quantize[element_type_numbers];
  /// Packs stored rows of a weight (n outputs, k inputs), at any address, for `matmul_int8`.
  pack_int8_function KERNELS_NULLABLE pack_int8[element_type_numbers];

  /// The index of the first number that is NaN or whose magnitude exceeds `limit`, or `count`.
  size_t (*first_beyond)(const float *source, float limit, size_t count);

  /// out = x / sqrt(mean(x^2) + epsilon) * weight, for each of `rows` rows of `width`. `out` may be
  /// `x`.
  void (*rms_norm)(const float *x, const float *weight, float epsilon, size_t rows, size_t width, float *out);
  /// out = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias, with the biased variance.
  /// `bias` may be NULL. `out` may be `x`.
  void (*layer_norm)(const float *x, const float *weight, const float *KERNELS_NULLABLE bias, float epsilon,
                     size_t rows, size_t width, float *out);
  /// gate = gate * sigmoid(gate) * up
  void (*silu_gate)(float *gate, const float *up, size_t count);
  /// Rotates the pairs (i, i + pairs) of a head, or (2i, 2i + 1) if `interleaved`, by the angles
  /// with the given `pairs` cosines and sines.
  void (*rotate_head)(float *head, const float *cosines, const float *sines, size_t pairs, int interleaved);
  /// x *= factor
  void (*scale_all)(float *x, float factor, size_t count);
  /// x += y * scale
  void (*add_scaled)(float *x, const float *y, float scale, size_t count);
  /// log(sum(exp(row))), summed in double precision, and the first index of the greatest number.
  double (*log_sum_exp)(const float *row, size_t count, size_t *greatest);

  // Derivatives. `gradient` comes as the derivative of a loss by a function's output and leaves as
  // that by its input.

  /// The derivative of `rms_norm`.
  void (*rms_norm_gradient)(const float *x, const float *weight, float epsilon, size_t rows, size_t width,
                            float *gradient);
  /// The derivative of `layer_norm`.
  void (*layer_norm_gradient)(const float *x, const float *weight, float epsilon, size_t rows, size_t width,
                              float *gradient);
  /// The derivative of `silu_gate`: `gate` and `up` come as its inputs and leave as the derivatives
  /// by them; `gradient` is that by its output.
  void (*silu_gate_gradient)(float *gate, float *up, const float *gradient, size_t count);
  /// The derivative of a softmax over rows of scores times `scale`: gradient = probabilities *
  /// (gradient - sums[row]) * scale, where sums[row] is the sum of probabilities * gradient over the
  /// whole row, of which these columns are a part.
  void (*softmax_gradient)(const float *probabilities, size_t stride, float *gradient, size_t gradient_stride,
                           size_t rows, size_t columns, const float *sums, float scale);

  /// One step of the online softmax of attention over blocks of keys: `rows` queries against
  /// `columns` keys.
  ///
  /// Row r sees the columns first[r] ..< last[r], within 0 ..< columns. maximum[r] is the greatest
  /// score of earlier steps and sum[r] the sum of exp(score - maximum[r]); before the first step
  /// they are -INFINITY and 0. The step updates both, and multiplies row r of `out` (rows, width)
  /// by exp(old maximum - new maximum). It replaces the scores (rows, columns), which are already
  /// scaled, by exp(score - maximum[r]), and unseen ones by 0. For a row that sees nothing it only
  /// writes zeros.
  void (*softmax_step)(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *first,
                       const int32_t *last, float *maximum, float *sum, float *out, size_t out_stride,
                       size_t width);
  /// Like `softmax_step`, but rounds the exponentials to bf16, as `round_bf16` does, and writes
  /// them to `probabilities` (rows, columns padded with zero to even). `sum` adds the rounded ones.
  /// The scores are overwritten.
  void (*softmax_step_bf16)(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *first,
                            const int32_t *last, float *maximum, float *sum, float *out, size_t out_stride,
                            size_t width, uint16_t *probabilities, size_t probabilities_stride);

  // Products of bf16 with sums in f32. One factor, B (n outputs, k inputs), is packed first.

  /// The number of elements in the packed form of B.
  size_t (*packed_size)(size_t n, size_t k);
  /// Packs B from `n` rows of `k` (a weight, or keys). Rounds to nearest even.
  void (*pack_rows)(const float *source, size_t stride, size_t n, size_t k, uint16_t *packed);
  /// Packs B from contiguous stored bf16 rows, at any address.
  void (*pack_rows_bf16)(const void *source, size_t n, size_t k, uint16_t *packed);
  /// Packs B from `k` rows of `n` (values). Rounds to nearest even.
  void (*pack_columns)(const float *source, size_t stride, size_t k, size_t n, uint16_t *packed);
  /// Rounds `rows` rows of `k` to nearest even, and pads each row with zero to an even length.
  /// Subnormal numbers (below 2^-126) become zero, as in the processor's own conversion.
  void (*round_bf16)(const float *source, size_t stride, size_t rows, size_t k, uint16_t *destination,
                     size_t destination_stride);
  /// c(m, n) = alpha * a(m, k) * B transposed, plus c if `accumulate` is not 0. `a` is as
  /// `round_bf16` writes it. B has been packed with `packed_k` inputs, of which the first k count,
  /// and with at least n outputs.
  void (*matmul_bf16)(const uint16_t *a, size_t a_stride, const uint16_t *packed, size_t packed_k, float *c,
                      size_t c_stride, size_t m, size_t n, size_t k, float alpha, int accumulate);

  // Products of f32, packed like those of bf16: B takes n, rounded up to a multiple of 32, times k
  // floats.

  /// Packs B from `n` rows of `k`.
  void (*pack_rows_f32)(const float *source, size_t stride, size_t n, size_t k, float *packed);
  /// Packs B from `k` rows of `n`.
  void (*pack_columns_f32)(const float *source, size_t stride, size_t k, size_t n, float *packed);
  /// c(m, n) = alpha * a(m, k) * B transposed, plus c if `accumulate` is not 0. `packed_k` is as in
  /// `matmul_bf16`.
  void (*matmul_f32)(const float *a, size_t a_stride, const float *packed, size_t packed_k, float *c,
                     size_t c_stride, size_t m, size_t n, size_t k, float alpha, int accumulate);

  // Products of one row with stored rows, for tokens that are generated one by one. Packing would
  // cost more than it saves.

  /// out[j] = the dot product of x and row j, for `n` rows of `k` floats.
  void (*dot_rows)(const float *x, const float *rows, size_t stride, size_t n, size_t k, float *out);
  /// Like `dot_rows`, for contiguous stored bf16 rows, at any address.
  void (*dot_rows_bf16)(const float *x, const void *rows, size_t n, size_t k, float *out);

  // 8-bit products, for weights stored in blocks of 32 numbers of at most 8 bits. They are faster
  // than products of bf16 and less exact, because the other factor is also rounded to 8 bits in
  // blocks of 32. `k` is a multiple of the stored type's block.

  /// The number of bytes in the packed form of a weight (n outputs, k inputs).
  size_t (*packed_int8_size)(size_t n, size_t k);
  /// Rounds `rows` rows of `k` in blocks of 32 with one scale each, to `values` (rows, k). `scales`
  /// (rows, k / 16) has two numbers for each block: its scale, and its scale times the sum of its
  /// values.
  void (*round_int8)(const float *source, size_t stride, size_t rows, size_t k, int8_t *values,
                     size_t values_stride, float *scales, size_t scales_stride);
  /// c(m, n) = a(m, k) * weight transposed, with `a` as `round_int8` writes it.
  void (*matmul_int8)(const int8_t *a, size_t a_stride, const float *scales, size_t scales_stride,
                      const void *packed, float *c, size_t c_stride, size_t m, size_t n, size_t k);
};

/// The level with this index; 0 is the portable one. NULL if this processor lacks the level, and
/// beyond the last.
const struct kernels *KERNELS_NULLABLE kernels_at(int level);
/// The best level that this processor has.
const struct kernels *kernels_best(void);

// Swift cannot index the tables, so it calls these functions. NULL for a type that lacks the
// operation.

static inline unpack_function KERNELS_NULLABLE kernels_unpack(const struct kernels *level, uint32_t type) {
  return type < element_type_numbers ? level->unpack[type] : NULL;
}
static inline quantize_function KERNELS_NULLABLE kernels_quantize(const struct kernels *level, uint32_t type) {
  return type < element_type_numbers ? level->quantize[type] : NULL;
}
static inline pack_int8_function KERNELS_NULLABLE kernels_pack_int8(const struct kernels *level, uint32_t type) {
  return type < element_type_numbers ? level->pack_int8[type] : NULL;
}

/// The size of a type's block; zeros for a type that is not in the table.
struct element_block {
  size_t elements, bytes;
};
struct element_block kernels_block(uint32_t type);

#undef KERNELS_NULLABLE
#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
