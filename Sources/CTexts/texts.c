// The book moby-dick.txt, whose lines end in LF, and recipe/train.py, as parts of the program.
#include "CTexts.h"

// Unlike an assembler's directive, #embed makes a build notice that a file has changed.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t book[] = {
#embed "moby-dick.txt.zst"
};

const uint8_t *moby_dick(void) { return book; }
size_t moby_dick_size(void) { return sizeof book; }

static const uint8_t recipe[] = {
#embed "recipe/train.py"
};

const uint8_t *training_recipe(void) { return recipe; }
size_t training_recipe_size(void) { return sizeof recipe; }
