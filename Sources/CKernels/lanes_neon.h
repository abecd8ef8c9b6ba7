// The lanes of Arm's NEON: 4 floats. lanes_avx512.h explains the names.
//
// BF16_PRODUCTS and INT8_PRODUCTS say what the processor multiplies. With both (FEAT_BF16 and
// FEAT_I8MM) it multiplies 2 x 2 matrices, as lanes_squares.h explains; with INT8_PRODUCTS only
// (FEAT_DotProd), it has dot products of four signed bytes.
#pragma once
#include "levels.h"

#include <arm_neon.h>

// GCC's intrinsics ask for the architecture with which their instructions came. Every Linux
// processor with these features has the rest of ARMv8.2 too.
#if defined(BF16_PRODUCTS)
#define SQUARE_PRODUCTS
#define LEVEL __attribute__((target("arch=armv8.2-a+dotprod+bf16+i8mm")))
#elif defined(INT8_PRODUCTS)
#define LEVEL __attribute__((target("arch=armv8.2-a+dotprod")))
#else
#define LEVEL
#endif
#define INLINE static inline __attribute__((always_inline)) LEVEL

#define LANES 4
// A register has so few lanes that converting the sums of a block of 32 takes more instructions than
// its 8-bit products. Those of bf16 are then faster, and more exact (specs/verification.md, Speed).
#if defined(BF16_PRODUCTS)
#define INT8_PRODUCTS_PAY 0
#else
#define INT8_PRODUCTS_PAY 1
#endif
enum { lanes = LANES };
typedef float32x4_t floats;
typedef uint32x4_t words;
typedef uint16x4_t halves;
typedef struct {
  int low, high;  // The lanes low ..< high.
} lane_mask;
typedef struct {
  float64x2_t low, high;
} doubles;

INLINE int clamp_lane(long lane) { return lane < 0 ? 0 : lane > lanes ? lanes : (int)lane; }
INLINE lane_mask first_lanes(long count) { return (lane_mask){0, clamp_lane(count)}; }
INLINE lane_mask lanes_between(long low, long high) { return (lane_mask){clamp_lane(low), clamp_lane(high)}; }

INLINE floats load(const float *source) { return vld1q_f32(source); }
INLINE void store(float *destination, floats x) { vst1q_f32(destination, x); }
INLINE floats load_masked(const float *source, lane_mask mask, floats other) {
  float some[lanes];
  if (mask.low == 0 && mask.high == lanes) return load(source);
  store(some, other);
  for (int lane = mask.low; lane < mask.high; lane++) some[lane] = source[lane];
  return load(some);
}
INLINE void store_masked(float *destination, lane_mask mask, floats x) {
  float some[lanes];
  if (mask.low == 0 && mask.high == lanes) {
    store(destination, x);
    return;
  }
  store(some, x);
  for (int lane = mask.low; lane < mask.high; lane++) destination[lane] = some[lane];
}

INLINE floats all(float x) { return vdupq_n_f32(x); }
INLINE floats add(floats x, floats y) { return vaddq_f32(x, y); }
INLINE floats subtract(floats x, floats y) { return vsubq_f32(x, y); }
INLINE floats multiply(floats x, floats y) { return vmulq_f32(x, y); }
INLINE floats divide(floats x, floats y) { return vdivq_f32(x, y); }
INLINE floats multiply_add(floats x, floats y, floats z) { return vfmaq_f32(z, x, y); }
// The processor's own maximum is a NaN if either is one.
INLINE floats greater(floats x, floats y) { return vbslq_f32(vcgtq_f32(x, y), x, y); }
INLINE floats lesser(floats x, floats y) { return vbslq_f32(vcltq_f32(x, y), x, y); }
INLINE floats nearest_integer(floats x) { return vrndnq_f32(x); }
INLINE floats times_power(floats x, floats power) {
  // In two factors, because the result may exceed the range of one power of two.
  int32x4_t whole = vcvtq_s32_f32(power), half = vshrq_n_s32(whole, 1), bias = vdupq_n_s32(127);
  int32x4_t rest = vsubq_s32(whole, half);
  x = vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23)));
  return vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23)));
}
INLINE floats times_normal_power(floats x, floats power) {
  int32x4_t shift = vshlq_n_s32(vcvtq_s32_f32(power), 23);
  return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(x), shift));
}
INLINE floats zero_if_less(floats x, floats y, floats z) {
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(z), vcltq_f32(x, y)));
}

INLINE float total(floats x) { return vaddvq_f32(x); }
INLINE float greatest_lane(floats x) { return vmaxvq_f32(x); }
INLINE unsigned equal_lanes(floats x, floats y) {
  const words bits = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vceqq_f32(x, y), bits));
}

INLINE doubles widen(floats x) { return (doubles){vcvt_f64_f32(vget_low_f32(x)), vcvt_high_f64_f32(x)}; }
INLINE doubles all_doubles(double x) { return (doubles){vdupq_n_f64(x), vdupq_n_f64(x)}; }
INLINE doubles add_doubles(doubles x, doubles y) {
  return (doubles){vaddq_f64(x.low, y.low), vaddq_f64(x.high, y.high)};
}
INLINE doubles subtract_doubles(doubles x, doubles y) {
  return (doubles){vsubq_f64(x.low, y.low), vsubq_f64(x.high, y.high)};
}
INLINE doubles add_squares(doubles sum, doubles x) {
  return (doubles){vfmaq_f64(sum.low, x.low, x.low), vfmaq_f64(sum.high, x.high, x.high)};
}
INLINE double total_doubles(doubles x) { return vaddvq_f64(vaddq_f64(x.low, x.high)); }

INLINE void split_pairs(floats first, floats second, floats *x, floats *y) {
  *x = vuzp1q_f32(first, second);
  *y = vuzp2q_f32(first, second);
}
INLINE void join_pairs(floats x, floats y, floats *first, floats *second) {
  *first = vzip1q_f32(x, y);
  *second = vzip2q_f32(x, y);
}

/// Rounds as `to_bf16` does.
INLINE halves round_lanes(floats x) {
  words bits = vreinterpretq_u32_f32(x), is_normal = vtstq_u32(bits, vdupq_n_u32(0x7F800000));
#if defined(BF16_PRODUCTS)
  // Subnormal numbers become zero first: the conversion itself keeps them.
  bits = vandq_u32(bits, vorrq_u32(is_normal, vdupq_n_u32(0x80000000)));
  return vreinterpret_u16_bf16(vcvt_bf16_f32(vreinterpretq_f32_u32(bits)));
#else
  words cut = vshrq_n_u32(bits, 16), odd = vandq_u32(cut, vdupq_n_u32(1));
  words rounded = vshrq_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF))), 16);
  rounded = vbslq_u32(is_normal, rounded, vandq_u32(cut, vdupq_n_u32(0x8000)));
  rounded = vbslq_u32(vceqq_f32(x, x), rounded, vorrq_u32(cut, vdupq_n_u32(0x40)));
  return vmovn_u32(rounded);
#endif
}
INLINE words round_pair(floats first, floats second) {
  return vreinterpretq_u32_u16(vcombine_u16(round_lanes(first), round_lanes(second)));
}
INLINE words widen_halves(halves x) { return vmovl_u16(x); }
INLINE void store_halves(uint16_t *destination, halves x, long count) {
  uint16_t whole[lanes];
  if (count >= lanes) {
    vst1_u16(destination, x);
  } else if (count > 0) {
    vst1_u16(whole, x);
    memcpy(destination, whole, 2 * (size_t)count);
  }
}

INLINE words load_words(const void *source) { return vreinterpretq_u32_u8(vld1q_u8(source)); }
INLINE void store_words(void *destination, words x) { vst1q_u8(destination, vreinterpretq_u8_u32(x)); }
INLINE words load_some_halves(const void *source, long count) {
  uint16_t whole[2 * lanes] = {0};
  if (count >= 2 * lanes) return load_words(source);
  if (count > 0) memcpy(whole, source, 2 * (size_t)count);
  return load_words(whole);
}
INLINE words no_words(void) { return vdupq_n_u32(0); }
INLINE words all_words(int x) { return vdupq_n_u32((uint32_t)x); }
INLINE floats even_bf16(words x) { return vreinterpretq_f32_u32(vshlq_n_u32(x, 16)); }
INLINE floats odd_bf16(words x) { return vreinterpretq_f32_u32(vandq_u32(x, vdupq_n_u32(0xFFFF0000))); }
INLINE words zip_halves(halves even, halves odd) {
  return vreinterpretq_u32_u16(vcombine_u16(vzip1_u16(even, odd), vzip2_u16(even, odd)));
}

INLINE words zip_low_words(words x, words y) { return vzip1q_u32(x, y); }
INLINE words zip_high_words(words x, words y) { return vzip2q_u32(x, y); }
INLINE words join_low_halves(words x, words y) { return vcombine_u32(vget_low_u32(x), vget_low_u32(y)); }
INLINE words join_high_halves(words x, words y) { return vcombine_u32(vget_high_u32(x), vget_high_u32(y)); }

INLINE void transpose(words rows[lanes]) {
  words low[2] = {zip_low_words(rows[0], rows[2]), zip_low_words(rows[1], rows[3])};
  words high[2] = {zip_high_words(rows[0], rows[2]), zip_high_words(rows[1], rows[3])};
  rows[0] = zip_low_words(low[0], low[1]);
  rows[1] = zip_high_words(low[0], low[1]);
  rows[2] = zip_low_words(high[0], high[1]);
  rows[3] = zip_high_words(high[0], high[1]);
}

// Products by one lane take no instruction to repeat it.
enum { loaded_words = 4 };
INLINE words load_repeatable(const void *source) { return load_words(source); }
INLINE words repeat_word(words x, int lane) {
  switch (lane) {
    case 0:
      return vdupq_laneq_u32(x, 0);
    case 1:
      return vdupq_laneq_u32(x, 1);
    case 2:
      return vdupq_laneq_u32(x, 2);
    default:
      return vdupq_laneq_u32(x, 3);
  }
}

INLINE floats magnitudes(floats x) { return vabsq_f32(x); }
INLINE words round_to_words(floats x) { return vreinterpretq_u32_s32(vcvtnq_s32_f32(x)); }
INLINE floats words_to_floats(words x) { return vcvtq_f32_s32(vreinterpretq_s32_u32(x)); }
INLINE words add_words(words x, words y) { return vaddq_u32(x, y); }
INLINE int total_words(words x) { return (int)vaddvq_u32(x); }
INLINE void store_bytes(int8_t *destination, words x) {
  uint16x4_t narrow = vmovn_u32(x);
  uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(narrow, narrow))), 0);
  memcpy(destination, &bytes, 4);
}
#if defined(INT8_PRODUCTS)
INLINE float read_half(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(bits))), 0);
}
#endif
#if defined(SQUARE_PRODUCTS)
enum { byte_offset = 0 };
#elif defined(INT8_PRODUCTS)
// Both factors are signed here.
enum { byte_offset = 128 };
INLINE words dot_bytes(words sum, words x, words y) {
  int8x16_t less = vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(x), vdupq_n_u8(0x80)));
  return vreinterpretq_u32_s32(vdotq_s32(vreinterpretq_s32_u32(sum), less, vreinterpretq_s8_u32(y)));
}
#endif
