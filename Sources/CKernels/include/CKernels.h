// The kernels that OpenBLAS lacks. All matrices are row-major; every function is pure but for its output.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Unpacking of stored weights to 32-bit floats. `count` elements, a multiple of the type's block.
void unpack_f16(const void *source, float *destination, size_t count);
void unpack_bf16(const void *source, float *destination, size_t count);
void unpack_q4_0(const void *source, float *destination, size_t count);
void unpack_q4_1(const void *source, float *destination, size_t count);
void unpack_q5_0(const void *source, float *destination, size_t count);
void unpack_q5_1(const void *source, float *destination, size_t count);
void unpack_q8_0(const void *source, float *destination, size_t count);
void unpack_q2_k(const void *source, float *destination, size_t count);
void unpack_q3_k(const void *source, float *destination, size_t count);
void unpack_q4_k(const void *source, float *destination, size_t count);
void unpack_q5_k(const void *source, float *destination, size_t count);
void unpack_q6_k(const void *source, float *destination, size_t count);
void unpack_iq4_nl(const void *source, float *destination, size_t count);
void unpack_iq4_xs(const void *source, float *destination, size_t count);

/// out = x / sqrt(mean(x^2) + epsilon) * weight, for each of `rows` rows of `width`.
void rms_norm(const float *x, const float *weight, float epsilon, size_t rows, size_t width, float *out);
/// gate = gate * sigmoid(gate) * up
void silu_gate(float *gate, const float *up, size_t count);
/// Turns pairs (i, i + half) of a head (`interleaved`: pairs (2i, 2i + 1)) by the angles whose cosines and sines are
/// given.
void rotate_head(float *head, const float *cosines, const float *sines, size_t pairs, int interleaved);
/// Softmax of the first `count` numbers of a row, zeros up to `width`.
void softmax_row(float *row, size_t count, size_t width);
/// x *= factor
void scale_all(float *x, float factor, size_t count);
/// x += y * scale
void add_scaled(float *x, const float *y, float scale, size_t count);
/// log(sum(exp(row))) and the index of the greatest.
double log_sum_exp(const float *row, size_t count, size_t *greatest);
