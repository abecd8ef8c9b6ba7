// What the levels share. A level is the set of kernels for one instruction set.
//
// A factor B (n outputs, k inputs) of matmul_bf16 has the same packed form in every level: panels
// of 32 outputs, and in a panel one row of 32 pairs for every two inputs. Outputs beyond n and an
// input beyond k are zero.
//
//     panel 0: | B[0][0] B[0][1] | B[1][0] B[1][1] | ... | B[31][0] B[31][1] |   inputs 0 and 1
//              | B[0][2] B[0][3] | B[1][2] B[1][3] | ... | B[31][2] B[31][3] |   inputs 2 and 3
//              ...
//     panel 1: | B[32][0] B[32][1] | ...
#pragma once

// Each product and sum is rounded separately, except in explicitly fused operations, so that the
// levels agree and every processor unpacks the same bits.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif
#include "CKernels.h"

#include <string.h>

enum { panel_outputs = 32 };

extern const struct kernels portable_kernels;
#if defined(__x86_64__)
extern const struct kernels avx2_kernels, avx512_kernels, avx512_bf16_kernels;
#elif defined(__aarch64__)
extern const struct kernels neon_kernels, neon_dot_kernels, neon_bf16_kernels;
#endif

// The declarations that follow from the rows of ELEMENT_TYPES: the portable functions, and those
// for AVX2 and NEON. Every 64-bit Arm processor has NEON, so what the compiler vectorises by itself,
// such as `quantize`, has no form of its own for it.
#define DECLARE_written(name)                                                 \
  void quantize_##name(const float *source, void *destination, size_t count); \
  void quantize_##name##_avx2(const float *source, void *destination, size_t count);
#define DECLARE_read_only(name)
#define DECLARE_int8(name) void portable_pack_##name(const void *source, size_t n, size_t k, void *packed);
#define DECLARE_no_int8(name)
#define DECLARE(number, name, elements, bytes, writes, int8)                      \
  void unpack_##name(const void *source, float *destination, size_t count);       \
  void unpack_##name##_avx2(const void *source, float *destination, size_t count); \
  void unpack_##name##_neon(const void *source, float *destination, size_t count); \
  DECLARE_##writes(name) DECLARE_##int8(name)
ELEMENT_TYPES(DECLARE)
#undef DECLARE

// The entries of a level's tables, from its functions' names: `UNPACK_NAME(q4_0)` and so on.
#define QUANTIZE_written(name) [element_##name] = QUANTIZE_NAME(name),
#define QUANTIZE_read_only(name)
#define PACK_INT8_int8(name) [element_##name] = PACK_INT8_NAME(name),
#define PACK_INT8_no_int8(name)
#define UNPACK_ENTRY(number, name, elements, bytes, writes, int8) [element_##name] = UNPACK_NAME(name),
#define QUANTIZE_ENTRY(number, name, elements, bytes, writes, int8) QUANTIZE_##writes(name)
#define PACK_INT8_ENTRY(number, name, elements, bytes, writes, int8) PACK_INT8_##int8(name)
#define TYPE_TABLES                             \
  .unpack = {ELEMENT_TYPES(UNPACK_ENTRY)},     \
  .quantize = {ELEMENT_TYPES(QUANTIZE_ENTRY)}, \
  .pack_int8 = {ELEMENT_TYPES(PACK_INT8_ENTRY)},

size_t quantize_first_beyond(const float *source, float limit, size_t count);
size_t quantize_first_beyond_avx2(const float *source, float limit, size_t count);

size_t packed_size(size_t n, size_t k);

static inline size_t pairs_of(size_t k) { return (k + 1) / 2; }

static inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

static inline float from_bf16(uint16_t bits) { return float_of((uint32_t)bits << 16); }

/// The eight scales and minima of 6 bits that Q4_K and Q5_K pack into 12 bytes.
static inline void scale_and_minimum(const uint8_t *packed, int index, int *scale, int *minimum) {
  if (index < 4) {
    *scale = packed[index] & 63;
    *minimum = packed[index + 4] & 63;
  } else {
    *scale = (packed[index + 4] & 15) | (packed[index - 4] >> 6) << 4;
    *minimum = packed[index + 4] >> 4 | (packed[index] >> 6) << 4;
  }
}

/// Rounds to nearest even. A NaN becomes quiet; subnormal numbers become zero.
static inline uint16_t to_bf16(float value) {
  uint32_t bits = bits_of(value), magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
  if (magnitude < 0x00800000) return (uint16_t)(bits >> 16 & 0x8000);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// The part of a row of scores that is seen, cut to its columns.
static inline void seen_columns(int32_t first, int32_t last, size_t columns, size_t *from, size_t *to) {
  *to = last < 0 ? 0 : (size_t)last < columns ? (size_t)last : columns;
  *from = first < 0 ? 0 : (size_t)first < *to ? (size_t)first : *to;
}

// The portable 8-bit products, for levels without their own.
size_t packed_int8_size(size_t n, size_t k);
void portable_round_int8(const float *source, size_t stride, size_t rows, size_t k, int8_t *values,
                         size_t values_stride, float *scales, size_t scales_stride);
void portable_matmul_int8(const int8_t *a, size_t a_stride, const float *scales, size_t scales_stride,
                          const void *packed, float *c, size_t c_stride, size_t m, size_t n, size_t k);
#define PORTABLE_INT8 \
  .packed_int8_size = packed_int8_size, .round_int8 = portable_round_int8, .matmul_int8 = portable_matmul_int8,

// The portable functions in rows.c. `struct kernels` documents each.

void rms_norm(const float *x, const float *weight, float epsilon, size_t rows, size_t width, float *out);
void silu_gate(float *gate, const float *up, size_t count);
void rotate_head(float *head, const float *cosines, const float *sines, size_t pairs, int interleaved);
void scale_all(float *x, float factor, size_t count);
void add_scaled(float *x, const float *y, float scale, size_t count);
double log_sum_exp(const float *row, size_t count, size_t *greatest);

// The portable functions in gradients.c.

void rms_norm_gradient(const float *x, const float *weight, float epsilon, size_t rows, size_t width,
                       float *gradient);
void layer_norm_gradient(const float *x, const float *weight, float epsilon, size_t rows, size_t width,
                         float *gradient);
void silu_gate_gradient(float *gate, float *up, const float *gradient, size_t count);
void softmax_gradient(const float *probabilities, size_t stride, float *gradient, size_t gradient_stride,
                      size_t rows, size_t columns, const float *sums, float scale);
