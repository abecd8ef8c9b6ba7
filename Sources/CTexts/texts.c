// Embeds moby-dick.txt.zst, whose lines end in LF, and recipe/train.py in the program.
#include "CTexts.h"

__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "lrpatch_moby_dick:\n"
    ".incbin \"moby-dick.txt.zst\"\n"
    "lrpatch_moby_dick_end:\n"
    "lrpatch_recipe:\n"
    ".incbin \"recipe/train.py\"\n"
    "lrpatch_recipe_end:\n"
    ".popsection\n");

extern const uint8_t lrpatch_moby_dick[], lrpatch_moby_dick_end[];

const uint8_t *moby_dick(void) { return lrpatch_moby_dick; }
size_t moby_dick_size(void) { return (size_t)(lrpatch_moby_dick_end - lrpatch_moby_dick); }

extern const uint8_t lrpatch_recipe[], lrpatch_recipe_end[];

const uint8_t *training_recipe(void) { return lrpatch_recipe; }
size_t training_recipe_size(void) { return (size_t)(lrpatch_recipe_end - lrpatch_recipe); }
