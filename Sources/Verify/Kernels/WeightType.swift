internal import CKernels

/// A stored element type that can be unpacked to 32-bit floats.
package enum WeightType: String, CaseIterable, Sendable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q80 = "Q8_0"
  case q2K = "Q2_K"
  case q3K = "Q3_K"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"
  case iq4NL = "IQ4_NL"
  case iq4XS = "IQ4_XS"

  /// Elements and bytes of one block.
  package var block: (elements: Int, bytes: Int) {
    switch self {
    case .f32: (1, 4)
    case .f16, .bf16: (1, 2)
    case .q40, .iq4NL: (32, 18)
    case .q41: (32, 20)
    case .q50: (32, 22)
    case .q51: (32, 24)
    case .q80: (32, 34)
    case .q2K: (256, 84)
    case .q3K: (256, 110)
    case .q4K: (256, 144)
    case .q5K: (256, 176)
    case .q6K: (256, 210)
    case .iq4XS: (256, 136)
    }
  }

  /// Writes `count` elements, a multiple of the block's, to `destination`.
  package func unpack(
    _ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int, _ kernels: KernelTable = .best
  ) {
    let kernels = unsafe kernels.functions.pointee
    switch self {
    case .f32: unsafe UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: count * 4)
    case .f16: unsafe kernels.unpack_f16(source, destination, count)
    case .bf16: unsafe kernels.unpack_bf16(source, destination, count)
    case .q40: unsafe kernels.unpack_q4_0(source, destination, count)
    case .q41: unsafe kernels.unpack_q4_1(source, destination, count)
    case .q50: unsafe kernels.unpack_q5_0(source, destination, count)
    case .q51: unsafe kernels.unpack_q5_1(source, destination, count)
    case .q80: unsafe kernels.unpack_q8_0(source, destination, count)
    case .q2K: unsafe kernels.unpack_q2_k(source, destination, count)
    case .q3K: unsafe kernels.unpack_q3_k(source, destination, count)
    case .q4K: unsafe kernels.unpack_q4_k(source, destination, count)
    case .q5K: unsafe kernels.unpack_q5_k(source, destination, count)
    case .q6K: unsafe kernels.unpack_q6_k(source, destination, count)
    case .iq4NL: unsafe kernels.unpack_iq4_nl(source, destination, count)
    case .iq4XS: unsafe kernels.unpack_iq4_xs(source, destination, count)
    }
  }

  /// Whether a block of infinite numbers, or of none, means anything.
  package var storesAnyFloat: Bool { block.elements == 1 }

  /// Stores `count` numbers, a multiple of the block's, as gguf-py rounds them.
  package func quantize(
    _ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int, _ kernels: KernelTable = .best
  ) {
    let kernels = unsafe kernels.functions.pointee
    switch self {
    case .f32: unsafe destination.copyMemory(from: source, byteCount: count * 4)
    case .f16: unsafe kernels.quantize_f16(source, destination, count)
    case .bf16: unsafe kernels.quantize_bf16(source, destination, count)
    case .q40: unsafe kernels.quantize_q4_0(source, destination, count)
    case .q41: unsafe kernels.quantize_q4_1(source, destination, count)
    case .q50: unsafe kernels.quantize_q5_0(source, destination, count)
    case .q51: unsafe kernels.quantize_q5_1(source, destination, count)
    case .q80: unsafe kernels.quantize_q8_0(source, destination, count)
    case .q4K: unsafe kernels.quantize_q4_k(source, destination, count)
    case .q5K: unsafe kernels.quantize_q5_k(source, destination, count)
    case .q6K: unsafe kernels.quantize_q6_k(source, destination, count)
    case .q2K, .q3K, .iq4NL, .iq4XS: preconditionFailure("\(rawValue) cannot be written")
    }
  }

  /// The greatest magnitude that can be stored; beyond it a scale, or the number itself, would be infinite. 65504 is the
  /// greatest number of 16 bits.
  package var greatestStored: Float {
    switch self {
    case .f32: .greatestFiniteMagnitude
    // What rounds to a finite number.
    case .f16: Float(65520).nextDown
    case .bf16: Float(bitPattern: 0x7F7F_7FFF)
    case .q80: 65504 * 127
    case .q40: 65504 * 8
    case .q50: 65504 * 16
    default: 65504
    }
  }

  /// The place of the first number that the type cannot store, or nil. Types of single numbers store infinity and NaN.
  package func firstUnstorable(
    _ source: UnsafePointer<Float>, count: Int, _ kernels: KernelTable = .best
  ) -> Int? {
    var start = 0
    while start < count {
      let place = unsafe start + kernels.functions.pointee.first_beyond(source + start, greatestStored, count - start)
      guard place < count else { return nil }
      guard storesAnyFloat, unsafe !source[place].isFinite else { return place }
      start = place + 1
    }
    return nil
  }
}
