// Compares the kernels of every level of this processor with the portable ones. scripts/test-arm.sh
// runs it on emulated Arm processors; it is plain C, and runs elsewhere too.
//
//     compare                          runs the tests
//     compare WHAT LEVEL TIMES         multiplies (60, 512) by (128, 512) TIMES times (matmul_bf16), or
//                                      unpacks TIMES numbers (q4_k), to count instructions
//
// Each test runs for the portable level first, which records its results, and then for another one,
// which compares its own. Every array ends at a page that cannot be read or written.
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CKernels.h"

// Arrays

enum { most_arrays = 64 };
static struct {
  void *start;
  size_t bytes;
} arrays[most_arrays];
static int array_count;

/// Zeros that end at a guard page.
static void *take(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  char *start = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || mprotect(start + whole, page, PROT_NONE) || array_count == most_arrays) abort();
  arrays[array_count].start = start;
  arrays[array_count++].bytes = whole + page;
  return start + whole - bytes;
}

static void release(void) {
  while (array_count > 0) {
    array_count--;
    munmap(arrays[array_count].start, arrays[array_count].bytes);
  }
}

static uint64_t state;
static float next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) / 2147483648.0f;
}
static float *floats(size_t count, float scale) {
  float *x = take(count * sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = next() * scale;
  return x;
}
static void *bytes(size_t count) {
  uint8_t *x = take(count);
  for (size_t i = 0; i < count; i++) x[i] = (uint8_t)(int)(next() * 128);
  return x;
}
static void *copy(const void *from, size_t count) { return memcpy(take(count), from, count); }

// Results

static char *recorded;
static size_t recorded_bytes, recorded_capacity, place;
static int compares, comparisons, failures;
static uint64_t hash;
static const char *level_name;

/// Records a result, or returns the recorded one.
static const void *record(const void *data, size_t count) {
  if (compares) {
    if (place + count > recorded_bytes) abort();
    place += count;
    return recorded + place - count;
  }
  while (recorded_bytes + count > recorded_capacity)
    recorded = realloc(recorded, recorded_capacity = 2 * recorded_capacity + (1 << 20));
  memcpy(recorded + recorded_bytes, data, count);
  recorded_bytes += count;
  return data;
}

static void fail(const char *name, size_t where, double found, double wanted) {
  if (++failures <= 20)
    printf("%s: %s: number %zu is %.9g, not %.9g\n", level_name, name, where, found, wanted);
}

/// The result is the same bit for bit.
static void same(const char *name, const void *data, size_t count) {
  const uint8_t *found = data, *wanted = record(data, count);
  comparisons++;
  for (size_t i = 0; i < count && !compares; i++) hash = (hash ^ found[i]) * 1099511628211u;
  for (size_t i = 0; i < count; i++) {
    if (found[i] == wanted[i]) continue;
    fail(name, i, found[i], wanted[i]);
    return;
  }
}

/// The result differs by rounding only.
static void close_to(const char *name, const float *found, size_t count, double tolerance) {
  const char *wanted = record(found, count * sizeof *found);
  comparisons++;
  for (size_t i = 0; i < count; i++) {
    float number;
    memcpy(&number, wanted + i * sizeof number, sizeof number);
    if (fabs((double)found[i] - number) <= tolerance * fmax(1, fabs((double)number))) continue;
    if (found[i] == number || (isnan(found[i]) && isnan(number))) continue;
    fail(name, i, found[i], number);
    return;
  }
}

// Tests

static const struct {
  const char *name;
  uint32_t number;
  int is_exact_float;
} types[] = {
#define TYPE(number, name, elements, bytes, writes, int8) {#name, number, elements == 1},
    ELEMENT_TYPES(TYPE)
#undef TYPE
};
enum { type_count = sizeof types / sizeof *types };

/// Numbers of several magnitudes, with blocks of zeros and of equal numbers, and special ones.
static float *numbers_to_store(size_t count, int with_special) {
  float *x = floats(count, 1);
  for (size_t i = 0; i < count; i++) {
    if (i / 256 % 5 == 1) x[i] = 0;
    if (i / 256 % 5 == 2) x[i] = -0.75f;
    if (i / 256 % 5 == 3) x[i] *= 0x1p-20f;
  }
  const float special[] = {NAN,        -NAN,       INFINITY, -INFINITY,     0x1p-126f,  0x1.fffffcp-127f,
                           -0x1p-140f, 65520,      65519.9f, 3.4028235e38f, -0x1.01p0f, 0x1.03p0f,
                           0x1p-24f,   0x1.8p-25f, -0.0f};
  const uint32_t signalling = 0x7F800001;
  if (with_special) {
    memcpy(x, special, sizeof special);
    memcpy(x + sizeof special / sizeof *x, &signalling, sizeof signalling);
  }
  return x;
}

static void test_types(const struct kernels *kernels) {
  for (int i = 0; i < type_count; i++) {
    uint32_t type = types[i].number;
    struct element_block block = kernels_block(type);
    for (size_t blocks = 1; blocks <= 37; blocks += 12) {
      size_t count = blocks * block.elements;
      float *out = take(count * sizeof *out);
      kernels_unpack(kernels, type)(bytes(blocks * block.bytes), out, count);
      same(types[i].name, out, count * sizeof *out);
      release();
    }
    if (!kernels_quantize(kernels, type)) continue;
    for (size_t count = block.elements; count <= 16 * 256; count += 5 * 256 - block.elements % 256) {
      if (count % block.elements) continue;
      uint8_t *stored = take(count / block.elements * block.bytes);
      kernels_quantize(kernels, type)(numbers_to_store(count, types[i].is_exact_float && count > 256), stored,
                                      count);
      same(types[i].name, stored, count / block.elements * block.bytes);
      release();
    }
  }
}

static void test_first_beyond(const struct kernels *kernels) {
  for (size_t where = 0; where < 99; where += 7) {
    float *x = floats(99, 3);
    x[where] = where % 2 ? NAN : -65505;
    uint64_t found[3] = {kernels->first_beyond(x, 65504, 99), kernels->first_beyond(x, 65504, where),
                         kernels->first_beyond(x, 1, 99)};
    same("first_beyond", found, sizeof found);
    release();
  }
}

static void test_rows(const struct kernels *kernels) {
  const size_t widths[] = {1, 2, 3, 7, 64, 131};
  for (int i = 0; i < 6; i++) {
    size_t width = widths[i], count = 3 * width, some = count * sizeof(float);
    float *x = floats(count, 3), *y = floats(count, 3), *weight = floats(width, 1), *bias = floats(width, 1),
          *out;
    for (size_t j = width; j < 2 * width; j++) x[j] = 0;
    kernels->rms_norm(x, weight, 1e-5f, 3, width, out = copy(x, some));
    close_to("rms_norm", out, count, 2e-6);
    kernels->rms_norm(out, weight, 1e-5f, 3, width, out);
    close_to("rms_norm in place", out, count, 4e-6);
    kernels->layer_norm(x, weight, bias, 1e-5f, 3, width, out = copy(x, some));
    close_to("layer_norm", out, count, 2e-6);
    kernels->layer_norm(x, weight, NULL, 1e-5f, 3, width, out);
    close_to("layer_norm without bias", out, count, 2e-6);
    out = copy(x, some);
    out[0] = -200;
    kernels->silu_gate(out, y, count);
    close_to("silu_gate", out, count, 2e-6);
    kernels->scale_all(out, 0.7f, count);
    close_to("scale_all", out, count, 2e-6);
    kernels->add_scaled(out, y, 0.3f, count);
    close_to("add_scaled", out, count, 2e-6);
    size_t greatest;
    float sum = (float)kernels->log_sum_exp(x, count, &greatest);
    close_to("log_sum_exp", &sum, 1, 2e-6);
    same("greatest", &(uint64_t){greatest}, 8);
    kernels->rms_norm_gradient(x, weight, 1e-5f, 3, width, out = copy(y, some));
    close_to("rms_norm_gradient", out, count, 2e-6);
    kernels->layer_norm_gradient(x, weight, 1e-5f, 3, width, out = copy(y, some));
    close_to("layer_norm_gradient", out, count, 2e-6);
    float *gate = copy(x, some), *up = copy(y, some);
    kernels->silu_gate_gradient(gate, up, floats(count, 1), count);
    close_to("silu_gate_gradient by gate", gate, count, 4e-6);
    close_to("silu_gate_gradient by up", up, count, 4e-6);
    float *sums = floats(3, 1);
    for (size_t columns = 0; columns <= width; columns += 1 + width / 3) {
      kernels->softmax_gradient(x, width, out = copy(y, some), width, 3, columns, sums, 0.3f);
      close_to("softmax_gradient", out, count, 2e-6);
    }
    release();
  }
}

static void test_rotation(const struct kernels *kernels) {
  for (size_t pairs = 1; pairs <= 33; pairs += 4) {
    float *x = floats(2 * pairs, 1), *cosines = floats(pairs, 1), *sines = floats(pairs, 1);
    for (int interleaved = 0; interleaved < 2; interleaved++) {
      kernels->rotate_head(x, cosines, sines, pairs, interleaved);
      close_to("rotate_head", x, 2 * pairs, 2e-6);
    }
    release();
  }
}

static void test_softmax(const struct kernels *kernels) {
  enum { rows = 7, width = 9 };
  const int32_t firsts[rows] = {0, 0, 3, 5, 2, 9, -1}, lasts[rows] = {0, 1, 4, 60, 33, 7, 20};
  for (size_t columns = 1; columns <= 61; columns += 6) {
    for (int is_bf16 = 0; is_bf16 < 2; is_bf16++) {
      size_t stride = columns + 3, padded = (columns + 1) / 2 * 2;
      float *maximum = floats(rows, 3), *sum = floats(rows, 1), *out = floats(rows * (width + 2), 1);
      int32_t *first = copy(firsts, sizeof firsts), *last = copy(lasts, sizeof lasts);
      uint16_t *probabilities = take(rows * (padded + 5) * sizeof *probabilities);
      float *scores = floats(rows * stride, 8);
      for (int i = 0; i < rows; i++) sum[i] = i % 3 ? 1 + sum[i] * sum[i] : 0;
      for (int i = 0; i < rows; i += 3) maximum[i] = -INFINITY;
      for (size_t i = 2 * stride; i < 4 * stride; i++) scores[i] = -INFINITY;
      if (!is_bf16 && columns > 4) scores[4 * stride + 4] = NAN;
      if (is_bf16)
        kernels->softmax_step_bf16(scores, stride, rows, columns, first, last, maximum, sum, out, width + 2,
                                   width, probabilities, padded + 5);
      else
        kernels->softmax_step(scores, stride, rows, columns, first, last, maximum, sum, out, width + 2,
                              width);
      same("softmax maximum", maximum, rows * sizeof *maximum);
      close_to("softmax sum", sum, rows, is_bf16 ? 4e-3 : 4e-6);
      close_to("softmax out", out, rows * (width + 2), 4e-6);
      if (!is_bf16) close_to("softmax scores", scores, rows * stride, 2e-6);
      for (size_t i = 0; i < rows * (padded + 5); i++) {
        uint32_t bits = (uint32_t)probabilities[i] << 16;
        float value;
        memcpy(&value, &bits, 4);
        close_to("softmax probability", &value, 1, 1e-2);
      }
      release();
    }
  }
}

static void test_one_row(const struct kernels *kernels) {
  const size_t shapes[][2] = {{1, 1}, {3, 7}, {4, 64}, {9, 131}, {17, 600}, {5, 0}};
  for (int i = 0; i < 6; i++) {
    size_t n = shapes[i][0], k = shapes[i][1];
    float *x = floats(k, 1), *rows = floats(n * (k + 3), 1), *out = take(n * sizeof *out);
    char *halves = bytes(2 * n * k + 1);
    for (size_t j = 1; j <= n * k; j++) halves[2 * j] = (char)(0x3E | (halves[2 * j] & 0x81));
    kernels->dot_rows(x, rows, k + 3, n, k, out);
    close_to("dot_rows", out, n, 2e-5);
    kernels->dot_rows_bf16(x, halves + 1, n, k, out);
    close_to("dot_rows_bf16", out, n, 2e-5);
    release();
  }
}

static const size_t shapes[][3] = {{1, 1, 1},     {2, 3, 2},     {5, 33, 7},    {13, 64, 64},
                                   {25, 31, 63},  {7, 40, 301},  {38, 17, 129}, {128, 80, 129},
                                   {3, 65, 2050}, {14, 96, 1026}};
enum { shape_count = sizeof shapes / sizeof *shapes };

static void test_bf16(const struct kernels *kernels) {
  for (int i = 0; i < shape_count; i++) {
    size_t m = shapes[i][0], n = shapes[i][1], k = shapes[i][2], padded = (k + 1) / 2 * 2;
    double tolerance = 1e-6 * (2 + sqrt((double)k));
    float *x = floats((m - 1) * (k + 2) + k, 1), *rows = floats((n - 1) * (k + 1) + k, 1);
    float *columns = k ? floats((k - 1) * (n + 2) + n, 1) : take(0), *c = floats(m * (n + 3), 1);
    uint16_t *a = take(((m - 1) * (padded + 4) + padded) * sizeof *a);
    size_t size = kernels->packed_size(n, k);
    uint16_t *packed = bytes(size * sizeof *packed);
    if (k > 60) {
      float *special = numbers_to_store(60, 1);
      uint16_t *rounded = take(62 * 3 * sizeof *rounded);
      kernels->round_bf16(special, 20, 3, 17, rounded, 62);
      same("round_bf16 of special numbers", rounded, 62 * 3 * sizeof *rounded);
    }
    kernels->round_bf16(x, k + 2, m, k, a, padded + 4);
    same("round_bf16", a, ((m - 1) * (padded + 4) + padded) * sizeof *a);
    kernels->pack_rows(rows, k + 1, n, k, packed);
    same("pack_rows", packed, size * sizeof *packed);
    kernels->matmul_bf16(a, padded + 4, packed, k, c, n + 3, m, n, k, 0.5f, 0);
    close_to("matmul_bf16", c, m * (n + 3), tolerance);
    kernels->pack_columns(columns, n + 2, k, n, packed);
    same("pack_columns", packed, size * sizeof *packed);
    kernels->matmul_bf16(a, padded + 4, packed, k, c, n + 3, m, n, k, 2, 1);
    close_to("matmul_bf16, accumulating", c, m * (n + 3), 3 * tolerance);
    // Only some of the packed outputs and inputs.
    size_t some = (n + 1) / 2, few = padded / 4 * 2 > 0 ? padded / 4 * 2 : k;
    kernels->matmul_bf16(a, padded + 4, packed, k, c, n + 3, m, some, few, 1, 0);
    close_to("matmul_bf16 of a part", c, m * (n + 3), 3 * tolerance);
    char *halves = bytes(2 * n * k + 1);
    kernels->pack_rows_bf16(halves + 1, n, k, packed);
    same("pack_rows_bf16", packed, size * sizeof *packed);
    release();
  }
}

static void test_f32(const struct kernels *kernels) {
  for (int i = 0; i < shape_count; i++) {
    size_t m = shapes[i][0], n = shapes[i][1], k = shapes[i][2], size = (n + 31) / 32 * 32 * k;
    double tolerance = 1e-6 * (2 + sqrt((double)k));
    float *a = floats((m - 1) * (k + 2) + k, 1), *rows = floats((n - 1) * (k + 1) + k, 1);
    float *columns = floats((k - 1) * (n + 2) + n, 1), *c = floats(m * (n + 3), 1);
    float *packed = floats(size, 1);
    kernels->pack_rows_f32(rows, k + 1, n, k, packed);
    same("pack_rows_f32", packed, size * sizeof *packed);
    kernels->matmul_f32(a, k + 2, packed, k, c, n + 3, m, n, k, 0.5f, 0);
    close_to("matmul_f32", c, m * (n + 3), tolerance);
    kernels->pack_columns_f32(columns, n + 2, k, n, packed);
    same("pack_columns_f32", packed, size * sizeof *packed);
    kernels->matmul_f32(a, k + 2, packed, k, c, n + 3, m, n, k, 2, 1);
    close_to("matmul_f32, accumulating", c, m * (n + 3), 3 * tolerance);
    kernels->matmul_f32(a, k + 2, packed, k, c, n + 3, m, (n + 1) / 2, (k + 1) / 2, 1, 0);
    close_to("matmul_f32 of a part", c, m * (n + 3), 3 * tolerance);
    release();
  }
}

/// Random stored rows with scales of about 0.02 or, in some blocks, 0.
static uint8_t *stored_rows(uint32_t type, size_t count) {
  struct element_block block = kernels_block(type);
  size_t blocks = count / block.elements;
  uint8_t *stored = bytes(blocks * block.bytes);
  for (size_t i = 0; i < blocks; i++) {
    uint8_t scale[4] = {0x1F, i % 7 ? 0x25 : 0, 0x1F, 0x21};
    memcpy(stored + i * block.bytes, scale, block.elements == 256 ? 4 : 2);
  }
  return stored;
}

static void test_int8(const struct kernels *kernels) {
  const size_t sizes[][3] = {{1, 1, 256},   {2, 33, 512},  {7, 40, 768},
                             {13, 64, 256}, {12, 5, 2304}, {17, 100, 4352}};
  for (int i = 0; i < type_count; i++) {
    uint32_t type = types[i].number;
    if (!kernels_pack_int8(kernels, type)) continue;
    for (int j = 0; j < 6; j++) {
      // Blocks of 32 come in odd numbers too.
      size_t m = sizes[j][0], n = sizes[j][1],
             k = sizes[j][2] + (kernels_block(type).elements == 32 ? 32 : 0);
      size_t size = kernels->packed_int8_size(n, k), stride = k + 5, scales_stride = k / 16 + 3;
      float *x = floats((m - 1) * (k + 1) + k, 1), *c = floats(m * (n + 3), 1);
      for (size_t zero = 0; zero < 32; zero++) x[zero] = 0;
      int8_t *a = take((m - 1) * stride + k);
      float *scales = take(((m - 1) * scales_stride + k / 16) * sizeof *scales);
      char *packed = bytes(size);
      kernels->round_int8(x, k + 1, m, k, a, stride, scales, scales_stride);
      same("round_int8", a, (m - 1) * stride + k);
      same("scales of round_int8", scales, ((m - 1) * scales_stride + k / 16) * sizeof *scales);
      kernels_pack_int8(kernels, type)(stored_rows(type, n * k), n, k, packed);
      same("pack_int8", packed, size);
      kernels->matmul_int8(a, stride, scales, scales_stride, packed, c, n + 3, m, n, k);
      close_to("matmul_int8", c, m * (n + 3), 2e-5 * (2 + sqrt((double)k)));
      release();
    }
  }
}

static void run(const struct kernels *kernels) {
  place = 0;
  state = 2024;
  comparisons = 0;
  level_name = kernels->name;
  test_types(kernels);
  test_first_beyond(kernels);
  test_rows(kernels);
  test_rotation(kernels);
  test_softmax(kernels);
  test_one_row(kernels);
  test_bf16(kernels);
  test_f32(kernels);
  test_int8(kernels);
}

// Work to count

static void work(const char *what, const struct kernels *kernels, int times) {
  enum { m = 60, n = 128, k = 512 };
  float *a = take(m * k * sizeof *a), *b = take(n * k * sizeof *b), *c = take(m * n * sizeof *c);
  float *scales = take(m * k / 16 * sizeof *scales);
  uint16_t *halves = take(m * k * sizeof *halves),
           *packed = take(kernels->packed_size(n, k) * sizeof *packed);
  uint8_t *packed_int8 = take(kernels->packed_int8_size(n, k)), *stored = take(n * k * 4);
  float *packed_f32 = take(n * k * sizeof *packed_f32);
  for (int i = 0; i < times; i++) {
    if (!strcmp(what, "matmul_f32")) kernels->matmul_f32(a, k, packed_f32, k, c, n, m, n, k, 1, 0);
    if (!strcmp(what, "matmul_bf16")) kernels->matmul_bf16(halves, k, packed, k, c, n, m, n, k, 1, 0);
    if (!strcmp(what, "matmul_int8"))
      kernels->matmul_int8((int8_t *)halves, k, scales, k / 16, packed_int8, c, n, m, n, k);
    for (int j = 0; j < type_count; j++)
      if (!strcmp(what, types[j].name)) kernels_unpack(kernels, types[j].number)(stored, b, n * k);
  }
}

static const struct kernels *level_named(const char *name) {
  const struct kernels *found;
  for (int i = 0; (found = kernels_at(i)); i++)
    if (!strcmp(found->name, name)) return found;
  fprintf(stderr, "this processor lacks the level %s\n", name);
  exit(2);
}

int main(int count, char **arguments) {
  if (count == 4) {
    work(arguments[1], level_named(arguments[2]), atoi(arguments[3]));
    return 0;
  }
  const struct kernels *kernels;
  run(kernels_at(0));
  printf("portable: %d results, bits %016llx\n", comparisons, (unsigned long long)hash);
  compares = 1;
  for (int i = 1; (kernels = kernels_at(i)); i++) {
    int before = failures;
    run(kernels);
    printf("%s: %d results, %d differ\n", kernels->name, comparisons, failures - before);
  }
  printf("best: %s\n", kernels_best()->name);
  return failures > 0;
}
