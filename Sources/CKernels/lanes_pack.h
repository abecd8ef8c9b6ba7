// Rounding to bf16 and packing. levels.h draws the packed form.
#pragma once

static LEVEL void lanes_round_bf16(const float *source, size_t stride, size_t rows, size_t k,
                                   uint16_t *destination, size_t destination_stride) {
  long padded = 2 * (long)pairs_of(k);
  for (size_t row = 0; row < rows; row++, source += stride, destination += destination_stride)
    for (size_t i = 0; i < k; i += lanes)
      store_halves(destination + i, round_lanes(load_some(source + i, (long)(k - i), 0)), padded - (long)i);
}

/// Packs rows of pairs by transposing them. `source` has floats or bf16, `stride` bytes from row to
/// row.
INLINE void pack_turned(const char *source, size_t stride, size_t n, size_t k, uint16_t *packed,
                        const int is_bf16) {
  size_t pairs = pairs_of(k), size = is_bf16 ? 2 : 4;
  for (size_t output = 0; output < (n + panel_outputs - 1) / panel_outputs * panel_outputs; output += lanes) {
    uint16_t *panel = packed + (output / panel_outputs * pairs * panel_outputs + output % panel_outputs) * 2;
    for (size_t pair = 0; pair < pairs; pair += lanes) {
      words rows[lanes];
      long left = (long)k - 2 * (long)pair;
      for (size_t row = 0; row < lanes; row++) {
        const char *from = source + (output + row) * stride + 2 * pair * size;
        if (output + row >= n)
          rows[row] = no_words();
        else if (is_bf16)
          rows[row] = load_some_halves(from, left);
        else
          rows[row] = round_pair(load_some((const float *)(const void *)from, left, 0),
                                 load_some((const float *)(const void *)from + lanes, left - lanes, 0));
      }
      transpose(rows);
      for (size_t i = 0; i < lanes && pair + i < pairs; i++)
        store_words(panel + (pair + i) * 2 * panel_outputs, rows[i]);
    }
  }
}

static LEVEL void lanes_pack_rows(const float *source, size_t stride, size_t n, size_t k, uint16_t *packed) {
  pack_turned((const char *)source, stride * sizeof *source, n, k, packed, 0);
}

static LEVEL void lanes_pack_rows_bf16(const void *source, size_t n, size_t k, uint16_t *packed) {
  pack_turned(source, 2 * k, n, k, packed, 1);
}

static LEVEL void lanes_pack_columns(const float *source, size_t stride, size_t k, size_t n,
                                     uint16_t *packed) {
  size_t pairs = pairs_of(k);
  for (size_t pair = 0; pair < pairs; pair++) {
    const float *even = source + 2 * pair * stride, *odd = even + stride;
    for (size_t j = 0; j < (n + panel_outputs - 1) / panel_outputs * panel_outputs; j += lanes) {
      size_t place = ((j / panel_outputs * pairs + pair) * panel_outputs + j % panel_outputs) * 2;
      long left = (long)n - (long)j;
      floats second = 2 * pair + 1 < k ? load_some(odd + j, left, 0) : all(0);
      store_words(packed + place, zip_halves(round_lanes(load_some(even + j, left, 0)), round_lanes(second)));
    }
  }
}
