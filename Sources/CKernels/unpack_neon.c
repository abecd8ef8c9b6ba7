// Blocks of quantised weights to floats, with NEON. unpack_lanes.h explains the names.
#include "levels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

typedef uint8x16_t bytes;

INLINE float half_at(const uint8_t *from) {
  uint16_t bits;
  memcpy(&bits, from, 2);
  return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(bits))), 0);
}

INLINE bytes load16(const uint8_t *from) { return vld1q_u8(from); }
INLINE bytes low_nibbles(bytes x) { return vandq_u8(x, vdupq_n_u8(15)); }
INLINE bytes high_nibbles(bytes x) { return vshrq_n_u8(x, 4); }
INLINE bytes field(bytes x, int shift, int mask) {
  return vandq_u8(vshlq_u8(x, vdupq_n_s8((int8_t)-shift)), vdupq_n_u8((uint8_t)mask));
}
INLINE bytes raised(bytes x, int shift) { return vshlq_u8(x, vdupq_n_s8((int8_t)shift)); }
INLINE bytes either(bytes x, bytes y) { return vorrq_u8(x, y); }
INLINE bytes less(bytes x, int amount) { return vsubq_u8(x, vdupq_n_u8((uint8_t)amount)); }
INLINE bytes select16(const int8_t levels[16], bytes indices) {
  return vqtbl1q_u8(load16((const uint8_t *)levels), indices);
}

INLINE bytes fifth_bits(const uint8_t *from) {
  const bytes place = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
  bytes repeated = vcombine_u8(vdup_n_u8(from[0]), vdup_n_u8(from[1]));
  return vandq_u8(vtstq_u8(repeated, place), vdupq_n_u8(16));
}

/// 4 of 8 signed bytes as floats.
INLINE float32x4_t widen_low(int16x8_t x) { return vcvtq_f32_s32(vmovl_s16(vget_low_s16(x))); }
INLINE float32x4_t widen_high(int16x8_t x) { return vcvtq_f32_s32(vmovl_s16(vget_high_s16(x))); }

/// Stores 8 signed bytes times a step, and a base if its sign is not 0. A NaN of the base keeps its own.
INLINE void put_line8(float *out, int8x8_t x, float32x4_t steps, float32x4_t bases, const int sign) {
  int16x8_t wide = vmovl_s8(x);
  float32x4_t low = vmulq_f32(steps, widen_low(wide)), high = vmulq_f32(steps, widen_high(wide));
  vst1q_f32(out, sign == 0 ? low : sign > 0 ? vaddq_f32(low, bases) : vsubq_f32(low, bases));
  vst1q_f32(out + 4, sign == 0 ? high : sign > 0 ? vaddq_f32(high, bases) : vsubq_f32(high, bases));
}
INLINE void put_line(float *out, bytes x, float step, float base, const int sign) {
  float32x4_t steps = vdupq_n_f32(step), bases = vdupq_n_f32(base);
  put_line8(out, vreinterpret_s8_u8(vget_low_u8(x)), steps, bases, sign);
  put_line8(out + 8, vreinterpret_s8_u8(vget_high_u8(x)), steps, bases, sign);
}
INLINE void put_scaled(float *out, bytes x, float step) { put_line(out, x, step, 0, 0); }

INLINE void put_run(float *out, uint64_t run, float step) {
  float32x4_t steps = vdupq_n_f32(step);
  put_line8(out, vcreate_s8(run), steps, steps, 0);
}
INLINE uint64_t look_up(const int8_t levels[16], uint64_t codes) {
  return vget_lane_u64(vreinterpret_u64_u8(vqtbl1_u8(load16((const uint8_t *)levels), vcreate_u8(codes))), 0);
}

#define UNPACK(type) void unpack_##type##_neon
#include "unpack_lanes.h"

UNPACK(f32)(const void *source, float *destination, size_t count) { memcpy(destination, source, count * 4); }

UNPACK(f16)(const void *source, float *destination, size_t count) {
  const uint8_t *from = source;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    float16x8_t halves = vreinterpretq_f16_u8(load16(from + 2 * i));
    vst1q_f32(destination + i, vcvt_f32_f16(vget_low_f16(halves)));
    vst1q_f32(destination + i + 4, vcvt_high_f32_f16(halves));
  }
  for (; i < count; i++) destination[i] = half_at(from + 2 * i);
}

UNPACK(bf16)(const void *source, float *destination, size_t count) {
  const uint8_t *from = source;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint16x8_t halves = vreinterpretq_u16_u8(load16(from + 2 * i));
    vst1q_f32(destination + i, vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(halves), 16)));
    vst1q_f32(destination + i + 4, vreinterpretq_f32_u32(vshll_high_n_u16(halves, 16)));
  }
  unpack_bf16(from + 2 * i, destination + i, count - i);
}
#endif
