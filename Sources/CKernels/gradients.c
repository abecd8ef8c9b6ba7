// Derivatives of the row-wise functions: the portable reference.
#include "levels.h"

#include <math.h>

void rms_norm_gradient(const float *x, const float *weight, float epsilon, size_t rows, size_t width,
                       float *gradient) {
  for (size_t row = 0; row < rows; row++, x += width, gradient += width) {
    double squares = 0, products = 0;
    for (size_t i = 0; i < width; i++) {
      squares += (double)x[i] * x[i];
      products += (double)x[i] * weight[i] * gradient[i];
    }
    double scale = 1 / sqrt(squares / (double)width + epsilon);
    float factor = (float)scale, along = (float)(products * scale * scale * scale / (double)width);
    for (size_t i = 0; i < width; i++) gradient[i] = factor * weight[i] * gradient[i] - along * x[i];
  }
}

void layer_norm_gradient(const float *x, const float *weight, float epsilon, size_t rows, size_t width,
                         float *gradient) {
  for (size_t row = 0; row < rows; row++, x += width, gradient += width) {
    double sum = 0, squares = 0, slopes = 0, products = 0;
    for (size_t i = 0; i < width; i++) sum += x[i];
    double mean = sum / (double)width;
    for (size_t i = 0; i < width; i++) {
      squares += (x[i] - mean) * (x[i] - mean);
      slopes += (double)weight[i] * gradient[i];
      products += (x[i] - mean) * weight[i] * gradient[i];
    }
    double scale = 1 / sqrt(squares / (double)width + epsilon);
    float factor = (float)scale, centre = (float)mean;
    float along = (float)(products * scale * scale * scale / (double)width);
    float level = (float)(slopes * scale / (double)width);
    for (size_t i = 0; i < width; i++)
      gradient[i] = factor * weight[i] * gradient[i] - level - along * (x[i] - centre);
  }
}

void silu_gate_gradient(float *gate, float *up, const float *gradient, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float x = gate[i], share = 1.0f / (1.0f + expf(-x));
    gate[i] = gradient[i] * up[i] * share * (1.0f + x * (1.0f - share));
    up[i] = gradient[i] * x * share;
  }
}

void softmax_gradient(const float *probabilities, size_t stride, float *gradient, size_t gradient_stride,
                      size_t rows, size_t columns, const float *sums, float scale) {
  for (size_t row = 0; row < rows; row++, probabilities += stride, gradient += gradient_stride)
    for (size_t i = 0; i < columns; i++)
      gradient[i] = probabilities[i] * (gradient[i] - sums[row]) * scale;
}
