// A level's table of the functions over its lanes. LEVEL_TABLE and LEVEL_NAME name it.
#pragma once

#if defined(__x86_64__)
#define UNPACK_NAME(name) unpack_##name##_avx2
#define QUANTIZE_NAME(name) quantize_##name##_avx2
#define FIRST_BEYOND quantize_first_beyond_avx2
#else
#define UNPACK_NAME(name) unpack_##name##_neon
#define QUANTIZE_NAME(name) quantize_##name
#define FIRST_BEYOND quantize_first_beyond
#endif
#if defined(INT8_PRODUCTS)
#define PACK_INT8_NAME(name) lanes_pack_##name
#else
#define PACK_INT8_NAME(name) portable_pack_##name
#endif

// clang-format off
const struct kernels LEVEL_TABLE = {
    .name = LEVEL_NAME,
#if defined(BF16_PRODUCTS)
    .has_bf16_products = 1,
#endif
    TYPE_TABLES
    .first_beyond = FIRST_BEYOND,
    .rms_norm = lanes_rms_norm,
    .layer_norm = lanes_layer_norm,
    .silu_gate = lanes_silu_gate,
    .rotate_head = lanes_rotate_head,
    .scale_all = lanes_scale_all,
    .add_scaled = lanes_add_scaled,
    .log_sum_exp = lanes_log_sum_exp,
    .rms_norm_gradient = rms_norm_gradient,
    .layer_norm_gradient = layer_norm_gradient,
    .silu_gate_gradient = lanes_silu_gate_gradient,
    .softmax_gradient = lanes_softmax_gradient,
    .softmax_step = lanes_softmax_step,
    .softmax_step_bf16 = lanes_softmax_step_bf16,
    .packed_size = packed_size,
    .pack_rows = lanes_pack_rows,
    .pack_rows_bf16 = lanes_pack_rows_bf16,
    .pack_columns = lanes_pack_columns,
    .round_bf16 = lanes_round_bf16,
    .matmul_bf16 = lanes_matmul_bf16,
    .dot_rows = lanes_dot_rows,
    .dot_rows_bf16 = lanes_dot_rows_bf16,
    .has_f32_products = 1,
    .pack_rows_f32 = lanes_pack_rows_f32,
    .pack_columns_f32 = lanes_pack_columns_f32,
    .matmul_f32 = lanes_matmul_f32,
#if defined(INT8_PRODUCTS)
    .has_int8_products = INT8_PRODUCTS_PAY,
    .packed_int8_size = packed_int8_size,
    .round_int8 = lanes_round_int8,
    .matmul_int8 = lanes_matmul_int8,
#else
    PORTABLE_INT8
#endif
};
// clang-format on
