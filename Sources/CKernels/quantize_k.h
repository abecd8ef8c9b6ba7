// Floats to blocks of Q4_K, Q5_K and Q6_K, in the layouts of unpack.c, with little squared error.
//
// A block of 256 floats has 8 groups of 32 (Q4_K, Q5_K) or 16 groups of 16 (Q6_K), each with its
// own step. The groups are interleaved, one to a lane, so that a pass over a block computes the
// sums of all groups at once:
//
//     value[0]: | group 0's first float  | group 1's first float  | ...
//     value[1]: | group 0's second float | group 1's second float | ...
//
// A first search treats the steps (and bases) as arbitrary floats. It tries several for each group,
// and fits each to the levels that it leads to. But a block can store only whole multiples of its
// two f16 factors. So a second search tries the multiples around the first result, by their actual
// error.
//
// NAME names the functions of a level.
#pragma once
#include "levels.h"

#include <math.h>

enum { block_floats = 256, groups = 8, group_floats = 32, runs = 16, run_floats = 16 };

/// Numbers up to this count as zero when dividing; 1 / negligible is still far from infinity.
static const float negligible = 0x1p-120f;

/// Rounds to nearest even, at most to the greatest finite half. Only zero becomes zero.
static uint16_t to_scale_f16(float value) {
  uint32_t bits, magnitude, sign;
  memcpy(&bits, &value, 4);
  magnitude = bits & 0x7FFFFFFF;
  sign = bits >> 16 & 0x8000;
  if (magnitude == 0) return 0;
  if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7BFF);
  if (magnitude < 0x38800000) {
    uint32_t fraction = (uint32_t)rintf(fabsf(value) * 0x1p24f);
    return (uint16_t)(sign | (fraction ? fraction : 1));
  }
  return (uint16_t)(sign | (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13);
}

static float from_scale_f16(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 0x3FF;
  float value = exponent ? ldexpf((float)(fraction | 0x400), exponent - 25) : (float)fraction * 0x1p-24f;
  return bits & 0x8000 ? -value : value;
}

/// Rounds a factor to what a block can store, if the block's floats are divided by 2^exponent.
static float round_factor(float factor, int exponent) {
  return ldexpf(from_scale_f16(to_scale_f16(ldexpf(factor, exponent))), -exponent);
}

static void store_factor(float factor, int exponent, uint8_t *bytes) {
  uint16_t bits = to_scale_f16(ldexpf(factor, exponent));
  bytes[0] = (uint8_t)bits;
  bytes[1] = (uint8_t)(bits >> 8);
}

/// Replaces NaN with 0 and infinities with the greatest finite floats.
static inline float make_finite(float value) {
  float below = value < 0x1.fffffep127f ? value : 0x1.fffffep127f;
  float inside = below > -0x1.fffffep127f ? below : -0x1.fffffep127f;
  return value == value ? inside : 0;
}

static inline float clamp(float value, float least, float greatest) {
  float raised = value > least ? value : least;
  return raised < greatest ? raised : greatest;
}

/// The nearest of the levels 0 ... top, as a float.
static inline float nearest_level(float place, float top) {
  return (float)(int)(clamp(place, 0, top) + 0.5f);
}

/// Copies a block, divided by a power of two that brings its greatest magnitude near 1, so that
/// sums of squares neither overflow nor vanish. Returns the exponent of the power.
static int scale_block(const float *source, float *scaled) {
  float greatest = 0;
  int exponent;
  for (int i = 0; i < block_floats; i++) {
    scaled[i] = make_finite(source[i]);
    greatest = fabsf(scaled[i]) > greatest ? fabsf(scaled[i]) : greatest;
  }
  frexpf(greatest, &exponent);
  exponent = exponent < -100 ? -100 : exponent > 126 ? 126 : exponent;
  float factor = ldexpf(1, -exponent);
  for (int i = 0; i < block_floats; i++) scaled[i] *= factor;
  return exponent;
}

// Q4_K and Q5_K: a value is step * level - base.

/// The groups of a block. Values are at least 0: value = float + lift, where -lift is the group's
/// least float, or 0 if that is less.
struct grouped {
  float value[group_floats][groups], weight[group_floats][groups];
  float lift[groups], range[groups];
  float weights[groups], values[groups], squares[groups];  // Sums of weight, weight * value, ...
  float top;
  int exponent;
};

/// The line value = step * level - shift of each group, which means a base of lift + shift.
struct lines {
  float step[groups], shift[groups];
};

/// The sums of weight * level, weight * level^2 and weight * level * value.
struct group_sums {
  float levels[groups], squares[groups], products[groups];
};

/// The contents of a stored block: step = d * scale, base = dmin * minimum.
struct grouped_code {
  float d, dmin, scale[groups], minimum[groups];
};

/// Weights errors by the root mean square plus the float's magnitude. This is a compromise between
/// the least squared error and small errors of large floats, which matter most in products.
static void weigh_groups(const float *scaled, struct grouped *block) {
  for (int group = 0; group < groups; group++) {
    const float *floats = scaled + group * group_floats;
    float squares = 0, least = 0, greatest = floats[0];
    for (int i = 0; i < group_floats; i++) {
      squares += floats[i] * floats[i];
      least = floats[i] < least ? floats[i] : least;
      greatest = floats[i] > greatest ? floats[i] : greatest;
    }
    float mean = sqrtf(squares / (float)group_floats);
    for (int i = 0; i < group_floats; i++) {
      block->weight[i][group] = mean + fabsf(floats[i]);
      block->value[i][group] = floats[i] - least;
    }
    block->lift[group] = -least;
    block->range[group] = greatest - least;
  }
}

static void sum_groups(struct grouped *block) {
  float weights[groups] = {0}, values[groups] = {0}, squares[groups] = {0};
  for (int i = 0; i < group_floats; i++) {
    for (int group = 0; group < groups; group++) {
      float weighted = block->weight[i][group] * block->value[i][group];
      weights[group] += block->weight[i][group];
      values[group] += weighted;
      squares[group] += weighted * block->value[i][group];
    }
  }
  memcpy(block->weights, weights, sizeof weights);
  memcpy(block->values, values, sizeof values);
  memcpy(block->squares, squares, sizeof squares);
}

static void load_groups(const float *source, float top, struct grouped *block) {
  float scaled[block_floats];
  block->exponent = scale_block(source, scaled);
  block->top = top;
  weigh_groups(scaled, block);
  sum_groups(block);
}

static inline float invert_step(float step) { return step > negligible ? 1 / step : 0; }

static void sum_levels(const struct grouped *block, const struct lines *lines, struct group_sums *sums) {
  float levels[groups] = {0}, squares[groups] = {0}, products[groups] = {0}, inverse[groups];
  for (int group = 0; group < groups; group++) inverse[group] = invert_step(lines->step[group]);
  for (int i = 0; i < group_floats; i++) {
    for (int group = 0; group < groups; group++) {
      float value = block->value[i][group];
      float level = nearest_level((value + lines->shift[group]) * inverse[group], block->top);
      float weighted = block->weight[i][group] * level;
      levels[group] += weighted;
      squares[group] += weighted * level;
      products[group] += weighted * value;
    }
  }
  memcpy(sums->levels, levels, sizeof levels);
  memcpy(sums->squares, squares, sizeof squares);
  memcpy(sums->products, products, sizeof products);
}

/// Fits lines by least squares to the levels that the given lines lead to, with bases of 0 or more.
static void fit_lines(const struct grouped *block, const struct lines *given, struct lines *fitted,
                      float *errors) {
  struct group_sums sums;
  sum_levels(block, given, &sums);
  for (int group = 0; group < groups; group++) {
    float levels = sums.levels[group], squares = sums.squares[group], products = sums.products[group];
    float weights = block->weights[group], values = block->values[group], lift = block->lift[group];
    float spread = weights * squares - levels * levels;
    float best = spread > 1e-5f * weights * squares ? (levels * products - values * squares) / spread : 0;
    float shift = best > -lift ? best : -lift;
    float step = squares > 0 ? (products + shift * levels) / squares : 0;
    float with_levels = step * (step * squares - 2 * (products + shift * levels));
    errors[group] = block->squares[group] + shift * (2 * values + shift * weights) + with_levels;
    fitted->step[group] = step;
    fitted->shift[group] = shift;
  }
}

/// Replaces the best lines where the new ones have less error. Errors that differ only by rounding
/// count as equal, so that similar groups keep similar steps from the first trial.
static void keep_better_lines(const struct grouped *block, const struct lines *lines, const float *errors,
                              struct lines *best, float *least) {
  for (int group = 0; group < groups; group++) {
    int better = errors[group] + 5e-7f * block->squares[group] < least[group];
    best->step[group] = better ? lines->step[group] : best->step[group];
    best->shift[group] = better ? lines->shift[group] : best->shift[group];
    least[group] = better ? errors[group] : least[group];
  }
}

/// Tries steps that spread each group's range over all levels, or over slightly fewer or more.
static void find_lines(const struct grouped *block, struct lines *best) {
  struct lines given, fitted;
  float errors[groups], least[groups];
  for (int group = 0; group < groups; group++) {
    least[group] = INFINITY;
    best->step[group] = best->shift[group] = given.shift[group] = 0;
  }
  for (int trial = 0; trial <= 16; trial++) {
    float levels = trial ? block->top - 2.2f + 0.2f * (float)trial : block->top;
    for (int group = 0; group < groups; group++) given.step[group] = block->range[group] / levels;
    fit_lines(block, &given, &fitted, errors);
    keep_better_lines(block, &fitted, errors, best, least);
  }
  given = *best;
  fit_lines(block, &given, &fitted, errors);
  keep_better_lines(block, &fitted, errors, best, least);
}

static void decode_lines(const struct grouped *block, const struct grouped_code *code, struct lines *lines) {
  for (int group = 0; group < groups; group++) {
    lines->step[group] = code->d * code->scale[group];
    lines->shift[group] = code->dmin * code->minimum[group] - block->lift[group];
  }
}

static void measure_errors(const struct grouped *block, const struct grouped_code *code, float *errors) {
  struct lines lines;
  float inverse[groups], sum[groups] = {0};
  decode_lines(block, code, &lines);
  for (int group = 0; group < groups; group++) inverse[group] = invert_step(lines.step[group]);
  for (int i = 0; i < group_floats; i++) {
    for (int group = 0; group < groups; group++) {
      float lifted = block->value[i][group] + lines.shift[group];
      float error = lines.step[group] * nearest_level(lifted * inverse[group], block->top) - lifted;
      sum[group] += block->weight[i][group] * error * error;
    }
  }
  memcpy(errors, sum, sizeof sum);
}

static void keep_better_code(const struct grouped_code *code, const float *errors, struct grouped_code *best,
                             float *least) {
  for (int group = 0; group < groups; group++) {
    int better = errors[group] < least[group];
    best->scale[group] = better ? code->scale[group] : best->scale[group];
    best->minimum[group] = better ? code->minimum[group] : best->minimum[group];
    least[group] = better ? errors[group] : least[group];
  }
}

/// Tries the scales and minima within `reach` of the code's, keeps the best, and returns the
/// block's error.
static float search_code(const struct grouped *block, struct grouped_code *code, int reach) {
  struct grouped_code start = *code, trial = *code;
  float errors[groups], least[groups], sum = 0;
  for (int group = 0; group < groups; group++) least[group] = INFINITY;
  for (int change = -reach; change <= reach; change++) {
    for (int other = -reach; other <= reach; other++) {
      for (int group = 0; group < groups; group++) {
        trial.scale[group] = clamp(start.scale[group] + (float)change, 0, 63);
        trial.minimum[group] = clamp(start.minimum[group] + (float)other, 0, 63);
      }
      measure_errors(block, &trial, errors);
      keep_better_code(&trial, errors, code, least);
    }
  }
  for (int group = 0; group < groups; group++) sum += least[group];
  return sum;
}

/// Rounds lines to the nearest code, in which the greatest step and the greatest base are 63.
static void round_lines(const struct grouped *block, const struct lines *lines, struct grouped_code *code) {
  float step = 0, base = 0;
  for (int group = 0; group < groups; group++) {
    float here = block->lift[group] + lines->shift[group];
    step = lines->step[group] > step ? lines->step[group] : step;
    base = here > base ? here : base;
  }
  code->d = round_factor(step / 63, block->exponent);
  code->dmin = round_factor(base / 63, block->exponent);
  for (int group = 0; group < groups; group++) {
    float scale = lines->step[group] * invert_step(code->d);
    float minimum = (block->lift[group] + lines->shift[group]) * invert_step(code->dmin);
    code->scale[group] = nearest_level(scale, 63);
    code->minimum[group] = nearest_level(minimum, 63);
  }
}

/// Fits d and dmin by least squares to the code's scales, minima and levels.
static void fit_factors(const struct grouped *block, struct grouped_code *code) {
  struct lines lines;
  struct group_sums sums;
  double scales = 0, both = 0, minima = 0, steps = 0, bases = 0;
  decode_lines(block, code, &lines);
  sum_levels(block, &lines, &sums);
  for (int group = 0; group < groups; group++) {
    double scale = code->scale[group], minimum = code->minimum[group], lift = block->lift[group];
    scales += scale * scale * sums.squares[group];
    both += scale * minimum * sums.levels[group];
    minima += minimum * minimum * block->weights[group];
    steps += scale * (sums.products[group] - lift * sums.levels[group]);
    bases += minimum * (lift * block->weights[group] - block->values[group]);
  }
  double spread = scales * minima - both * both;
  if (spread <= 1e-6 * scales * minima) return;
  double d = (steps * minima + bases * both) / spread, dmin = (bases * scales + steps * both) / spread;
  code->d = round_factor(d > 0 ? (float)d : 0, block->exponent);
  code->dmin = round_factor(dmin > 0 ? (float)dmin : 0, block->exponent);
}

static void find_code(const struct grouped *block, struct grouped_code *code) {
  struct lines lines;
  struct grouped_code refined;
  find_lines(block, &lines);
  round_lines(block, &lines, code);
  float error = search_code(block, code, 2);
  refined = *code;
  fit_factors(block, &refined);
  if (search_code(block, &refined, 1) < error) *code = refined;
}

static void choose_levels(const struct grouped *block, const struct grouped_code *code,
                          uint8_t levels[group_floats][groups]) {
  struct lines lines;
  float inverse[groups];
  decode_lines(block, code, &lines);
  for (int group = 0; group < groups; group++) inverse[group] = invert_step(lines.step[group]);
  for (int i = 0; i < group_floats; i++) {
    for (int group = 0; group < groups; group++) {
      float lifted = block->value[i][group] + lines.shift[group];
      levels[i][group] = (uint8_t)nearest_level(lifted * inverse[group], block->top);
    }
  }
}

/// Stores the 16 bytes before the levels: d, dmin, and the scales and minima as scale_and_minimum
/// reads them.
static void store_code(const struct grouped *block, const struct grouped_code *code, uint8_t *bytes) {
  store_factor(code->d, block->exponent, bytes);
  store_factor(code->dmin, block->exponent, bytes + 2);
  for (int group = 0; group < 4; group++) {
    int scale = (int)code->scale[group], minimum = (int)code->minimum[group];
    int later_scale = (int)code->scale[group + 4], later_minimum = (int)code->minimum[group + 4];
    bytes[4 + group] = (uint8_t)(scale | later_scale >> 4 << 6);
    bytes[8 + group] = (uint8_t)(minimum | later_minimum >> 4 << 6);
    bytes[12 + group] = (uint8_t)((later_scale & 15) | (later_minimum & 15) << 4);
  }
}

static void store_nibbles(uint8_t levels[group_floats][groups], uint8_t *bytes) {
  for (int pair = 0; pair < groups / 2; pair++)
    for (int i = 0; i < group_floats; i++)
      *bytes++ = (uint8_t)((levels[i][2 * pair] & 15) | (levels[i][2 * pair + 1] & 15) << 4);
}

static void store_fifth_bits(uint8_t levels[group_floats][groups], uint8_t *bytes) {
  for (int i = 0; i < group_floats; i++) {
    int bits = 0;
    for (int group = 0; group < groups; group++) bits |= levels[i][group] >> 4 << group;
    bytes[i] = (uint8_t)bits;
  }
}

void NAME(q4_k)(const float *source, void *destination, size_t count) {
  uint8_t *bytes = destination, levels[group_floats][groups];
  struct grouped block;
  struct grouped_code code;
  for (size_t start = 0; start < count; start += block_floats, bytes += 144) {
    load_groups(source + start, 15, &block);
    find_code(&block, &code);
    choose_levels(&block, &code, levels);
    store_code(&block, &code, bytes);
    store_nibbles(levels, bytes + 16);
  }
}

void NAME(q5_k)(const float *source, void *destination, size_t count) {
  uint8_t *bytes = destination, levels[group_floats][groups];
  struct grouped block;
  struct grouped_code code;
  for (size_t start = 0; start < count; start += block_floats, bytes += 176) {
    load_groups(source + start, 31, &block);
    find_code(&block, &code);
    choose_levels(&block, &code, levels);
    store_code(&block, &code, bytes);
    store_fifth_bits(levels, bytes + 16);
    store_nibbles(levels, bytes + 48);
  }
}

// Q6_K: a value is step * (level - 32).

/// The groups of 16 of a block, here called runs.
struct run_block {
  float value[run_floats][runs], weight[run_floats][runs];
  float extreme[runs];  // The float with the greatest magnitude.
  int exponent;
};

/// The contents of a stored block: step = d * scale.
struct run_code {
  float d, scale[runs];
};

/// Loads a block, and weights errors by the float's square plus half the mean square.
static void load_runs(const float *source, struct run_block *block) {
  float scaled[block_floats];
  block->exponent = scale_block(source, scaled);
  for (int run = 0; run < runs; run++) {
    const float *floats = scaled + run * run_floats;
    float squares = 0, extreme = 0;
    for (int i = 0; i < run_floats; i++) {
      squares += floats[i] * floats[i];
      extreme = fabsf(floats[i]) > fabsf(extreme) ? floats[i] : extreme;
    }
    for (int i = 0; i < run_floats; i++) {
      block->weight[i][run] = floats[i] * floats[i] + squares / (float)(2 * run_floats);
      block->value[i][run] = floats[i];
    }
    block->extreme[run] = extreme;
  }
}

static inline float invert_signed(float step) { return fabsf(step) > negligible ? 1 / step : 0; }

static inline float nearest_signed_level(float place) { return nearest_level(place + 32, 63) - 32; }

/// The sums of weight * level^2 and weight * level * value with the given steps.
static void sum_signed_levels(const struct run_block *block, const float *steps, float *squares,
                              float *products) {
  float square[runs] = {0}, product[runs] = {0}, inverse[runs];
  for (int run = 0; run < runs; run++) inverse[run] = invert_signed(steps[run]);
  for (int i = 0; i < run_floats; i++) {
    for (int run = 0; run < runs; run++) {
      float value = block->value[i][run], level = nearest_signed_level(value * inverse[run]);
      float weighted = block->weight[i][run] * level;
      square[run] += weighted * level;
      product[run] += weighted * value;
    }
  }
  memcpy(squares, square, sizeof square);
  memcpy(products, product, sizeof product);
}

/// Tries steps that put each run's extreme at -32, or slightly below or above, and fits each to its
/// levels. Of equal ones the first stays, as in keep_better_lines.
static void find_steps(const struct run_block *block, float *best) {
  float steps[runs], squares[runs], products[runs], greatest[runs] = {0};
  memset(best, 0, sizeof steps);
  for (int trial = 0; trial <= 12; trial++) {
    float levels = trial ? -29.3f - 0.3f * (float)trial : -32;
    for (int run = 0; run < runs; run++) steps[run] = block->extreme[run] / levels;
    sum_signed_levels(block, steps, squares, products);
    for (int run = 0; run < runs; run++) {
      float step = squares[run] > 0 ? products[run] / squares[run] : 0, gain = step * products[run];
      int better = gain > greatest[run] * (1 + 5e-7f);
      best[run] = better ? step : best[run];
      greatest[run] = better ? gain : greatest[run];
    }
  }
}

static void measure_signed_errors(const struct run_block *block, const struct run_code *code, float *errors) {
  float step[runs], inverse[runs], sum[runs] = {0};
  for (int run = 0; run < runs; run++) {
    step[run] = code->d * code->scale[run];
    inverse[run] = invert_signed(step[run]);
  }
  for (int i = 0; i < run_floats; i++) {
    for (int run = 0; run < runs; run++) {
      float value = block->value[i][run];
      float error = step[run] * nearest_signed_level(value * inverse[run]) - value;
      sum[run] += block->weight[i][run] * error * error;
    }
  }
  memcpy(errors, sum, sizeof sum);
}

/// Tries the scales within `reach` of the code's, keeps the best, and returns the block's error.
static float search_scales(const struct run_block *block, struct run_code *code, int reach) {
  struct run_code start = *code, trial = *code;
  float errors[runs], least[runs], sum = 0;
  for (int run = 0; run < runs; run++) least[run] = INFINITY;
  for (int change = -reach; change <= reach; change++) {
    for (int run = 0; run < runs; run++)
      trial.scale[run] = clamp(start.scale[run] + (float)change, -128, 127);
    measure_signed_errors(block, &trial, errors);
    for (int run = 0; run < runs; run++) {
      int better = errors[run] < least[run];
      code->scale[run] = better ? trial.scale[run] : code->scale[run];
      least[run] = better ? errors[run] : least[run];
    }
  }
  for (int run = 0; run < runs; run++) sum += least[run];
  return sum;
}

/// Rounds steps to the nearest code, in which the greatest step is -128.
static void round_steps(const struct run_block *block, const float *steps, struct run_code *code) {
  float greatest = 0;
  for (int run = 0; run < runs; run++) greatest = fabsf(steps[run]) > fabsf(greatest) ? steps[run] : greatest;
  code->d = round_factor(greatest / -128, block->exponent);
  float inverse = invert_signed(code->d);
  for (int run = 0; run < runs; run++)
    code->scale[run] = nearest_level(steps[run] * inverse + 128, 255) - 128;
}

/// Fits d by least squares to the code's scales and levels.
static void fit_factor(const struct run_block *block, struct run_code *code) {
  float steps[runs], squares[runs], products[runs];
  double square = 0, product = 0;
  for (int run = 0; run < runs; run++) steps[run] = code->d * code->scale[run];
  sum_signed_levels(block, steps, squares, products);
  for (int run = 0; run < runs; run++) {
    square += (double)code->scale[run] * code->scale[run] * squares[run];
    product += (double)code->scale[run] * products[run];
  }
  if (square > 0) code->d = round_factor((float)(product / square), block->exponent);
}

static void find_run_code(const struct run_block *block, struct run_code *code) {
  float steps[runs];
  struct run_code refined;
  find_steps(block, steps);
  round_steps(block, steps, code);
  float error = search_scales(block, code, 4);
  refined = *code;
  fit_factor(block, &refined);
  if (search_scales(block, &refined, 2) < error) *code = refined;
}

/// Chooses the levels 0 ... 63, in the order of the floats.
static void choose_run_levels(const struct run_block *block, const struct run_code *code, uint8_t *levels) {
  for (int run = 0; run < runs; run++) {
    float inverse = invert_signed(code->d * code->scale[run]);
    for (int i = 0; i < run_floats; i++)
      levels[run * run_floats + i] = (uint8_t)nearest_level(block->value[i][run] * inverse + 32, 63);
  }
}

static void store_six_bits(const uint8_t *levels, uint8_t *bytes) {
  for (int half = 0; half < 2; half++, levels += 128) {
    uint8_t *low = bytes + half * 64, *high = bytes + 128 + half * 32;
    for (int i = 0; i < 32; i++) {
      int a = levels[i], b = levels[i + 32], c = levels[i + 64], e = levels[i + 96];
      low[i] = (uint8_t)((a & 15) | (c & 15) << 4);
      low[i + 32] = (uint8_t)((b & 15) | (e & 15) << 4);
      high[i] = (uint8_t)(a >> 4 | b >> 4 << 2 | c >> 4 << 4 | e >> 4 << 6);
    }
  }
}

void NAME(q6_k)(const float *source, void *destination, size_t count) {
  uint8_t *bytes = destination, levels[block_floats];
  struct run_block block;
  struct run_code code;
  for (size_t start = 0; start < count; start += block_floats, bytes += 210) {
    load_runs(source + start, &block);
    find_run_code(&block, &code);
    choose_run_levels(&block, &code, levels);
    store_six_bits(levels, bytes);
    for (int run = 0; run < runs; run++) bytes[192 + run] = (uint8_t)(int8_t)code.scale[run];
    store_factor(code.d, block.exponent, bytes + 208);
  }
}
