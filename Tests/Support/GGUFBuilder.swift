/// Builds GGUF files byte by byte, valid or not.
package struct GGUFBuilder: Sendable {
  package var magic = Array("GGUF".utf8)
  package var version: UInt32 = 3
  package var keyCount: UInt64?
  package var tensorCount: UInt64?
  package var alignment = 32
  package private(set) var keys: [[UInt8]] = []
  package private(set) var tensors: [[UInt8]] = []
  package var data: [UInt8] = []
  private var offset: UInt64 = 0

  package init() {}

  package var bytes: [UInt8] {
    var result = magic + Self.little(version)
    result += Self.little(tensorCount ?? UInt64(tensors.count))
    result += Self.little(keyCount ?? UInt64(keys.count))
    result += Array(keys.joined()) + Array(tensors.joined())
    if !tensors.isEmpty { result += Self.zeros(result.count, alignment) }
    return result + data
  }

  // MARK: Keys

  package func key(_ name: String, type: UInt32, _ value: [UInt8]) -> GGUFBuilder {
    raw(key: Self.string(name) + Self.little(type) + value)
  }

  package func raw(key bytes: [UInt8]) -> GGUFBuilder {
    var copy = self
    copy.keys.append(bytes)
    return copy
  }

  package func key(_ name: String, _ value: UInt32) -> GGUFBuilder {
    key(name, type: 4, Self.little(value))
  }

  @_disfavoredOverload
  package func key(_ name: String, _ value: Float) -> GGUFBuilder {
    key(name, type: 6, Self.little(value.bitPattern))
  }

  package func key(_ name: String, _ value: String) -> GGUFBuilder {
    key(name, type: 8, Self.string(value))
  }

  /// An array of strings.
  package func key(_ name: String, _ values: [String]) -> GGUFBuilder {
    key(
      name, type: 9,
      Self.little(UInt32(8)) + Self.little(UInt64(values.count)) + values.flatMap(Self.string))
  }

  // MARK: Tensors

  /// Adds a tensor entry without any checks, and its bytes to the data.
  package func tensor(
    _ name: String, shape: [Int64], type: UInt32 = 0, offset declared: UInt64? = nil,
    dimensions: UInt32? = nil, data bytes: [UInt8] = []
  ) -> GGUFBuilder {
    var copy = self
    var entry = Self.string(name) + Self.little(dimensions ?? UInt32(shape.count))
    for extent in shape { entry += Self.little(extent) }
    entry += Self.little(type) + Self.little(declared ?? offset)
    copy.tensors.append(entry)
    copy.data += bytes
    copy.data += Self.zeros(copy.data.count, alignment)
    copy.offset = UInt64(copy.data.count)
    return copy
  }

  /// A vector of 32-bit floats.
  package func floats(_ name: String, _ values: [Float]) -> GGUFBuilder {
    tensor(
      name, shape: [Int64(values.count)], data: values.flatMap { Self.little($0.bitPattern) })
  }

  // MARK: Encoding

  package static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  package static func string(_ text: String) -> [UInt8] {
    little(UInt64(text.utf8.count)) + Array(text.utf8)
  }

  private static func zeros(_ count: Int, _ alignment: Int) -> [UInt8] {
    Array(repeating: 0, count: (alignment - count % alignment) % alignment)
  }
}

extension GGUFBuilder {
  /// A Llama whose rotary keys llama.cpp would accept.
  /// - Parameters:
  ///   - vocabulary: entries of the token list.
  ///   - window: llama.context_length.
  package static func llama(
    vocabulary: Int = 4, window: UInt32 = 256, architecture: String = "llama"
  ) -> GGUFBuilder {
    GGUFBuilder()
      .key("general.architecture", architecture)
      .key("\(architecture).context_length", window)
      .key("\(architecture).embedding_length", 128 as UInt32)
      .key("\(architecture).block_count", 4 as UInt32)
      .key("\(architecture).attention.head_count", 4 as UInt32)
      .key("\(architecture).rope.dimension_count", 32 as UInt32)
      .key("\(architecture).rope.freq_base", Float(10_000))
      .key("tokenizer.ggml.tokens", (0..<vocabulary).map { "token-\($0)" } as [String])
  }
}
