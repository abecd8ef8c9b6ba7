internal import CKernels
package import Formats

/// Kernels for stored element types. The table is in `element_types.h` of CKernels.
extension ElementType {
  /// Whether stored blocks can be unpacked to 32-bit floats, and thus multiplied.
  package var canUnpack: Bool { unsafe kernels_unpack(kernels_best(), kernelNumber) != nil }

  /// Whether 32-bit floats can be stored as this type.
  package var canQuantize: Bool { unsafe kernels_quantize(kernels_best(), kernelNumber) != nil }

  /// Whether stored rows can be packed for products of 8-bit integers.
  package var canPackInt8: Bool { unsafe kernels_pack_int8(kernels_best(), kernelNumber) != nil }

  /// The index into the tables of the kernels, or `UInt32.max` for a type that ggml lacks.
  private var kernelNumber: UInt32 { ggmlNumber ?? .max }

  /// Unpacks stored blocks to 32-bit floats.
  /// - Parameter count: the number of elements, a multiple of the block's.
  package func unpack(
    _ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int,
    _ kernels: KernelTable = .best
  ) {
    guard let unpack = unsafe kernels_unpack(kernels.functions, kernelNumber) else {
      preconditionFailure("\(name) cannot be unpacked")
    }
    unsafe unpack(source, destination, count)
  }

  /// Stores 32-bit floats as this type.
  ///
  /// Types that gguf-py writes are rounded as in gguf-py.
  /// - Parameter count: the number of elements, a multiple of the block's.
  package func quantize(
    _ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int,
    _ kernels: KernelTable = .best
  ) {
    guard let quantize = unsafe kernels_quantize(kernels.functions, kernelNumber) else {
      preconditionFailure("\(name) cannot be written")
    }
    unsafe quantize(source, destination, count)
  }

  /// Packs stored rows for products of 8-bit integers.
  package func pack(
    _ source: UnsafeRawPointer, outputs: Int, inputs: Int, into packed: PackedInt8,
    _ kernels: KernelTable
  ) {
    guard let pack = unsafe kernels_pack_int8(kernels.functions, kernelNumber) else {
      preconditionFailure("\(name) has no products of 8-bit integers")
    }
    precondition(packed.holds(outputs: outputs, inputs: inputs, kernels))
    unsafe pack(source, outputs, inputs, packed.pointer)
  }

  /// The greatest magnitude that can be stored.
  ///
  /// Beyond it a block's scale, or the number itself, would become infinite. 65504 is the greatest
  /// 16-bit float.
  package var greatestStored: Float {
    switch self {
    case .f32: .greatestFiniteMagnitude
    // The greatest number that rounds to a finite 16-bit float.
    case .f16: Float(65520).nextDown
    case .bf16: Float(bitPattern: 0x7F7F_7FFF)
    case .q80: 65504 * 127
    case .q40: 65504 * 8
    case .q50: 65504 * 16
    default: 65504
    }
  }

  /// The index of the first number that the type cannot store, or nil.
  ///
  /// Types without blocks can store infinity and NaN.
  package func firstUnstorable(
    _ source: UnsafePointer<Float>, count: Int, _ kernels: KernelTable = .best
  ) -> Int? {
    var start = 0
    while start < count {
      let place =
        unsafe start
        + kernels.functions.pointee.first_beyond(source + start, greatestStored, count - start)
      guard place < count else { return nil }
      guard isSingleNumber, unsafe !source[place].isFinite else { return place }
      start = place + 1
    }
    return nil
  }
}
