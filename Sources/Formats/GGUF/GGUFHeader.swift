/// The header of a little-endian GGUF file of version 2 or 3.
///
/// The file's layout:
///
///     "GGUF"  version u32  tensor count u64  key count u64
///     keys:     name string, value type u32, value
///     tensors:  name string, dimensions u32, each u64, type u32, offset u64
///     zeros up to the next multiple of general.alignment
///     tensor data, each tensor padded to the alignment, in the order of the list
///
/// A string is a u64 length and that many bytes. Parsing validates everything that llama.cpp's
/// gguf.cpp does, and that the data is there. After that, no access to a declared range can fail.
public struct GGUFHeader: Equatable, Sendable {
  /// The first 4 bytes of every GGUF file.
  public static let magic: [UInt8] = Array("GGUF".utf8)
  /// The alignment in bytes of a file without `general.alignment`.
  public static let defaultAlignment = 32
  /// The most levels of arrays in arrays that are read.
  public static let maximumNesting = 4

  /// The version of the format, 2 or 3.
  public var version: UInt32
  /// The metadata in the order of the file.
  public var keys: [GGUFKey]
  /// The tensors in the order of the file, which is the order of their data.
  public var tensors: [GGUFTensor]
  /// The multiple of bytes at which each tensor's data begins: a power of two.
  public var alignment: Int
  /// The offset at which the list of tensors begins: the end of the last key.
  public var tensorsOffset: Int
  /// The offset at which the list of tensors ends.
  public var end: Int
  /// The offset at which tensor data begins: `end` rounded up to the alignment, or `end` itself in a
  /// file without tensors.
  public var dataOffset: Int

  /// The bytes of all tensors' data, with padding.
  public var dataByteCount: Int { tensors.last.map { $0.offset + $0.paddedByteCount } ?? 0 }

  /// The value of a key, or nil if the key is absent.
  public subscript(key name: String) -> GGUFValue? { keys.first { $0.name == name }?.value }

  /// The tensor with a name, or nil if there is none.
  public func tensor(named name: String) -> GGUFTensor? { tensors.first { $0.name == name } }
}

/// One metadata key.
public struct GGUFKey: Equatable, Sendable {
  /// The name, such as `general.architecture`.
  public var name: String
  /// The typed value.
  public var value: GGUFValue
  /// The bytes of the whole entry in the file: name, type and value.
  ///
  /// Empty for a key that was not read from a file.
  public var range: Range<Int>

  /// Creates a key, by default one that was not read from a file.
  public init(_ name: String, _ value: GGUFValue, range: Range<Int> = 0..<0) {
    self.name = name
    self.value = value
    self.range = range
  }

  /// The offset at which the encoded value begins: after the name's length, the name and the type.
  public var valueOffset: Int { range.lowerBound + 8 + name.utf8.count + 4 }
}

/// One entry of the tensor list.
public struct GGUFTensor: Equatable, Sendable {
  /// The name, such as `blk.0.attn_q.weight`.
  public var name: String
  /// Elements along each dimension, the fastest-varying first.
  public var shape: [Int]
  /// The type of the elements.
  public var type: ElementType
  /// Bytes from the start of the tensor data.
  public var offset: Int
  /// The size of the data in bytes, without padding.
  public var byteCount: Int
  /// `byteCount` rounded up to the file's alignment.
  public var paddedByteCount: Int

  /// A tensor of 32-bit floats in one dimension.
  public init(_ name: String, floats count: Int, offset: Int, alignment: Int) {
    self.name = name
    shape = [count]
    type = .f32
    self.offset = offset
    byteCount = count * 4
    paddedByteCount = byteCount.roundedUp(to: alignment)
  }

  /// A tensor of whole blocks.
  ///
  /// The header that contains it sets its offset.
  /// - Parameter shape: elements along each dimension, the fastest-varying first.
  public init(_ name: String, shape: [Int], type: ElementType) {
    self.name = name
    self.shape = shape
    self.type = type
    offset = 0
    let block = type.ggml.block
    byteCount = shape.reduce(1, *) / block.elements * block.bytes
    paddedByteCount = byteCount
  }

  init(name: String, shape: [Int], type: ElementType, offset: Int, byteCount: Int, padded: Int) {
    self.name = name
    self.shape = shape
    self.type = type
    self.offset = offset
    self.byteCount = byteCount
    self.paddedByteCount = padded
  }
}
