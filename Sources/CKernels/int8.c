// 8-bit products, portable.
#include "int8.h"

#include <math.h>

static float half_at(const uint8_t *bytes) {
  float value;
  unpack_f16(bytes, &value, 1);
  return value;
}

size_t packed_int8_size(size_t n, size_t k) {
  return (n + panel_outputs - 1) / panel_outputs * (k / 32) * packed_block;
}

static void pack(enum element_type type, const uint8_t *source, size_t n, size_t k, uint8_t *packed) {
  memset(packed, 0, packed_int8_size(n, k));
  for (size_t output = 0; output < n; output++, source += stored_row_bytes(type, k)) {
    uint8_t *block = packed + output / panel_outputs * (k / 32) * packed_block;
    size_t place = output % panel_outputs * 4;
    for (size_t number = 0; number < k / 32; number++, block += packed_block) {
      uint8_t values[32];
      float step, base;
      read_block(type, source, number, half_at, values, &step, &base);
      for (size_t i = 0; i < 32; i += 4) memcpy(block + i * panel_outputs + place, values + i, 4);
      memcpy(block + steps_place + place, &step, 4);
      memcpy(block + bases_place + place, &base, 4);
    }
  }
}

void portable_pack_q8_0(const void *source, size_t n, size_t k, void *packed) {
  pack(element_q8_0, source, n, k, packed);
}
void portable_pack_q4_0(const void *source, size_t n, size_t k, void *packed) {
  pack(element_q4_0, source, n, k, packed);
}
void portable_pack_q4_k(const void *source, size_t n, size_t k, void *packed) {
  pack(element_q4_k, source, n, k, packed);
}
void portable_pack_q5_k(const void *source, size_t n, size_t k, void *packed) {
  pack(element_q5_k, source, n, k, packed);
}

void portable_round_int8(const float *source, size_t stride, size_t rows, size_t k, int8_t *values,
                         size_t values_stride, float *scales, size_t scales_stride) {
  for (size_t row = 0; row < rows;
       row++, source += stride, values += values_stride, scales += scales_stride) {
    for (size_t block = 0; block < k / 32; block++) {
      float greatest = 0;
      for (size_t i = 0; i < 32; i++) greatest = fmaxf(greatest, fabsf(source[block * 32 + i]));
      float factor = greatest > 0 ? 127 / greatest : 0;
      int sum = 0;
      for (size_t i = 0; i < 32; i++) {
        int value = (int)rintf(source[block * 32 + i] * factor);
        values[block * 32 + i] = (int8_t)value;
        sum += value;
      }
      scales[2 * block] = greatest / 127;
      scales[2 * block + 1] = greatest / 127 * (float)sum;
    }
  }
}

void portable_matmul_int8(const int8_t *a, size_t a_stride, const float *scales, size_t scales_stride,
                          const void *packed, float *c, size_t c_stride, size_t m, size_t n, size_t k) {
  for (size_t row = 0; row < m; row++, a += a_stride, scales += scales_stride, c += c_stride) {
    for (size_t output = 0; output < n; output++) {
      const uint8_t *block = (const uint8_t *)packed + output / panel_outputs * (k / 32) * packed_block;
      size_t place = output % panel_outputs * 4;
      float sum = 0, step, base;
      for (size_t number = 0; number < k / 32; number++, block += packed_block) {
        int product = 0;
        for (size_t i = 0; i < 32; i++) product += a[number * 32 + i] * block[i / 4 * 128 + place + i % 4];
        memcpy(&step, block + steps_place + place, 4);
        memcpy(&base, block + bases_place + place, 4);
        sum += (float)product * (scales[2 * number] * step) - scales[2 * number + 1] * base;
      }
      c[output] = sum;
    }
  }
}
