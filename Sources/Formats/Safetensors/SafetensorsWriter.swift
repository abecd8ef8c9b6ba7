/// Writes safetensors files in the layout of the reference writer.
///
/// Tensors are sorted by element type, widest first, then by name. The header is compact JSON,
/// padded with spaces to a multiple of 8 bytes. The same tensors give the same bytes.
public struct SafetensorsWriter: Sendable {
  /// The first bytes of the file, up to the data: the header's length and the header.
  public private(set) var header: [UInt8]
  /// The tensors in the order of the file, with their ranges in the data.
  public private(set) var tensors: [SafetensorsTensor]

  /// Lays out the tensors and encodes the header.
  /// - Parameters:
  ///   - metadata: written in the given order; nil leaves `__metadata__` out.
  ///   - unordered: the tensors in any order. Only the lengths of their ranges count.
  /// - Throws: `FormatError` for a duplicate name, or for a header above the limit.
  public init(
    metadata: [(String, String)]?, tensors unordered: [SafetensorsTensor]
  ) throws(FormatError) {
    var offset = 0
    tensors = []
    for var tensor in unordered.sorted(by: Self.precedes) {
      guard tensors.last?.name != tensor.name else {
        throw FormatError(.duplicateTensor, .tensor(tensor.name))
      }
      tensor.range = offset..<offset + tensor.range.count
      offset = tensor.range.upperBound
      tensors.append(tensor)
    }
    var members = tensors.map { JSONMember($0.name, $0.description) }
    if let metadata {
      let pairs = metadata.map { JSONMember($0.0, .string($0.1)) }
      members.insert(JSONMember("__metadata__", .object(pairs)), at: 0)
    }
    var text = JSONStyle.compact.encode(.object(members))
    text += Array(repeating: UInt8(ascii: " "), count: text.count.roundedUp(to: 8) - text.count)
    guard text.count <= SafetensorsHeader.maximumByteCount else {
      throw FormatError(
        .tooLarge(UInt64(text.count), limit: UInt64(SafetensorsHeader.maximumByteCount)), .header)
    }
    var writer = ByteWriter()
    writer.write(UInt64(text.count))
    writer.write(raw: text)
    header = writer.bytes
  }

  private static func precedes(_ left: SafetensorsTensor, _ right: SafetensorsTensor) -> Bool {
    (right.dtype.safetensorsRank, left.name) < (left.dtype.safetensorsRank, right.name)
  }

  /// Streams the file to `path`.
  ///
  /// It appears complete or not at all, and does not replace an existing file.
  /// - Parameter data: writes one tensor's bytes to the descriptor at the given offset.
  public func write(
    to path: String,
    data: (SafetensorsTensor, borrowing Descriptor, Int) throws -> Void
  ) throws {
    let output = try OutputFile(path: path)
    try output.descriptor.write(header, at: 0)
    for tensor in tensors {
      try data(tensor, output.descriptor, header.count + tensor.range.lowerBound)
    }
    try output.commit(replacing: false)
  }
}

extension SafetensorsTensor {
  fileprivate var description: JSONValue {
    .object([
      "dtype": .string(dtype.name),
      "shape": .array(shape.map { .number($0) }),
      "data_offsets": .array([.number(range.lowerBound), .number(range.upperBound)]),
    ])
  }
}
