/* The function of libFuzzer that changes bytes. */
#ifndef LRPATCH_FUZZER_H
#define LRPATCH_FUZZER_H

#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

#endif
