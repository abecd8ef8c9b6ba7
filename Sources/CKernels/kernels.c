// The choice of the kernels for this processor.
#include "levels.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

const struct kernels *kernels_at(int level) {
  if (level == 0) return &portable_kernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  int has_avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (level == 1 && has_avx2) return &avx2_kernels;
  if (level == 2 && has_avx512) return &avx512_kernels;
  int has_products = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni") &&
                     __builtin_cpu_supports("avx512vbmi");
  if (level == 3 && has_avx512 && has_products) return &avx512_bf16_kernels;
#elif defined(__aarch64__)
  unsigned long products = HWCAP2_BF16 | HWCAP2_I8MM;
  int has_dots = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  int has_squares = has_dots && (getauxval(AT_HWCAP2) & products) == products;
  if (level == 1) return &neon_kernels;
  if (level == 2 && has_dots) return &neon_dot_kernels;
  if (level == 3 && has_squares) return &neon_bf16_kernels;
#endif
  return NULL;
}

const struct kernels *kernels_best(void) {
  for (int level = 3; level > 0; level--) {
    const struct kernels *found = kernels_at(level);
    if (found) return found;
  }
  return &portable_kernels;
}

struct element_block kernels_block(uint32_t type) {
#define BLOCK(number, name, elements, bytes, writes, int8) \
  case number:                                             \
    return (struct element_block){elements, bytes};
  switch (type) { ELEMENT_TYPES(BLOCK) }
#undef BLOCK
  return (struct element_block){0, 0};
}
