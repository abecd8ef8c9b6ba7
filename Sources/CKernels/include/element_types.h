// The stored element types that the kernels compute with: one row each.
//
//     X(number, name, elements, bytes, WRITES, INT8)
//
// `number` is that of `enum ggml_type`; a block of `elements` numbers takes `bytes` bytes. WRITES
// is `written` if floats can be stored as the type, else `read_only`. INT8 is `int8` if stored rows
// can be packed for products of 8-bit integers, else `no_int8`.
//
// The declarations of a type's functions (levels.h), its entries in the tables of every level and
// its block size follow from its row. A new type needs a row here, `unpack_NAME` in unpack.c and
// unpack_lanes.h (or for both in unpack_runs.h), and a row with the same number in
// Sources/Formats/ElementType.swift.
#pragma once

// clang-format off
#define ELEMENT_TYPES(X)                      \
  X(0, f32, 1, 4, written, no_int8)           \
  X(1, f16, 1, 2, written, no_int8)           \
  X(2, q4_0, 32, 18, written, int8)           \
  X(3, q4_1, 32, 20, written, no_int8)        \
  X(6, q5_0, 32, 22, written, no_int8)        \
  X(7, q5_1, 32, 24, written, no_int8)        \
  X(8, q8_0, 32, 34, written, int8)           \
  X(10, q2_k, 256, 84, read_only, no_int8)    \
  X(11, q3_k, 256, 110, read_only, no_int8)   \
  X(12, q4_k, 256, 144, written, int8)        \
  X(13, q5_k, 256, 176, written, int8)        \
  X(14, q6_k, 256, 210, written, no_int8)     \
  X(16, iq2_xxs, 256, 66, read_only, no_int8) \
  X(17, iq2_xs, 256, 74, read_only, no_int8)  \
  X(18, iq3_xxs, 256, 98, read_only, no_int8) \
  X(19, iq1_s, 256, 50, read_only, no_int8)   \
  X(20, iq4_nl, 32, 18, read_only, no_int8)   \
  X(21, iq3_s, 256, 110, read_only, no_int8)  \
  X(22, iq2_s, 256, 82, read_only, no_int8)   \
  X(23, iq4_xs, 256, 136, read_only, no_int8) \
  X(29, iq1_m, 256, 56, read_only, no_int8)   \
  X(30, bf16, 1, 2, written, no_int8)         \
  X(34, tq1_0, 256, 54, read_only, no_int8)   \
  X(35, tq2_0, 256, 66, read_only, no_int8)   \
  X(39, mxfp4, 32, 17, read_only, no_int8)    \
  X(40, nvfp4, 64, 36, read_only, no_int8)    \
  X(41, q1_0, 128, 18, read_only, no_int8)    \
  X(42, q2_0, 64, 18, read_only, no_int8)
// clang-format on

/// Numbers below this one index the tables.
enum { element_type_numbers = 48 };

#define ELEMENT_NUMBER(number, name, ...) element_##name = number,
enum element_type { ELEMENT_TYPES(ELEMENT_NUMBER) };
#undef ELEMENT_NUMBER
