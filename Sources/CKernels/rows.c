// Row-wise functions of the forward pass: the portable reference.
#include "levels.h"

#include <math.h>

void rms_norm(const float *x, const float *weight, float epsilon, size_t rows, size_t width, float *out) {
  for (size_t row = 0; row < rows; row++, x += width, out += width) {
    double sum = 0;
    for (size_t i = 0; i < width; i++) sum += (double)x[i] * x[i];
    float scale = 1.0f / sqrtf((float)(sum / (double)width) + epsilon);
    for (size_t i = 0; i < width; i++) out[i] = x[i] * scale * weight[i];
  }
}

void silu_gate(float *gate, const float *up, size_t count) {
  for (size_t i = 0; i < count; i++) gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
}

void rotate_head(float *head, const float *cosines, const float *sines, size_t pairs, int interleaved) {
  size_t first = interleaved ? 2 : 1, second = interleaved ? 1 : pairs;
  for (size_t i = 0; i < pairs; i++) {
    float *a = head + i * first, *b = a + second;
    float x = *a, y = *b;
    *a = x * cosines[i] - y * sines[i];
    *b = y * cosines[i] + x * sines[i];
  }
}

void scale_all(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

void add_scaled(float *x, const float *y, float scale, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] += y[i] * scale;
}

double log_sum_exp(const float *row, size_t count, size_t *greatest) {
  size_t best = 0;
  for (size_t i = 1; i < count; i++)
    if (row[i] > row[best]) best = i;
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += exp((double)row[i] - row[best]);
  *greatest = best;
  return (double)row[best] + log(sum);
}
