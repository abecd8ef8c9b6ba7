// Floats to stored blocks: the portable kernels.
#include <stdint.h>
#include <string.h>

/// Rounds to nearest even; a NaN becomes quiet.
static inline uint16_t round_f16(float value) {
  uint32_t bits, sign, magnitude;
  memcpy(&bits, &value, 4);
  sign = bits >> 16 & 0x8000;
  magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
  // At least halfway between the greatest finite half, 65504, and the next power of two.
  if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7C00);
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are 2^-24 apart: adding 0.5 puts them into the last bits of a float.
    float shifted, size;
    memcpy(&size, &magnitude, 4);
    shifted = size + 0.5f;
    memcpy(&bits, &shifted, 4);
    return (uint16_t)(sign | (bits - 0x3F000000));
  }
  magnitude += 0xFFF + (magnitude >> 13 & 1);
  return (uint16_t)(sign | (magnitude - 0x38000000) >> 13);
}

#define ROUND_F16(value) round_f16(value)
#define NAME(type) quantize_##type
#include "quantize_rows.h"
