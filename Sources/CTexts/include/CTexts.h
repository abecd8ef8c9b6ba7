// The text that ships with the program: Herman Melville, Moby-Dick; or, The Whale (1851), which is
// in the public domain. zstd-compressed UTF-8.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

const uint8_t *moby_dick(void);
size_t moby_dick_size(void);

// The training script that `mix` writes next to its data.
const uint8_t *training_recipe(void);
size_t training_recipe_size(void);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
