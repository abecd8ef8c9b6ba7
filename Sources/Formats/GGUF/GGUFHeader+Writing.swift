extension GGUFHeader {
  /// A header for a new file.
  ///
  /// Tensors get their offsets in the given order. `tensorsOffset`, `end` and `dataOffset` are 0,
  /// because the header has not been encoded.
  public init(version: UInt32 = 3, keys: [GGUFKey], tensors: [GGUFTensor]) {
    self.version = version
    self.keys = keys
    let declared = keys.first { $0.name == "general.alignment" }?.value.integer
    alignment = declared ?? Self.defaultAlignment
    var offset = 0
    self.tensors = []
    for var tensor in tensors {
      tensor.offset = offset
      tensor.paddedByteCount = tensor.byteCount.roundedUp(to: alignment)
      offset += tensor.paddedByteCount
      self.tensors.append(tensor)
    }
    tensorsOffset = 0
    end = 0
    dataOffset = 0
  }

  /// The encoded header, up to and including the padding before the tensor data.
  /// - Parameter file: the file into which arrays point; empty if no array points into a file.
  public func encoded(arraysIn file: RawSpan) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(raw: Self.magic)
    writer.write(version)
    writer.write(UInt64(tensors.count))
    writer.write(UInt64(keys.count))
    for key in keys { writer.write(key, arraysIn: file) }
    for tensor in tensors { writer.write(tensor) }
    if !tensors.isEmpty { writer.pad(to: alignment) }
    return writer.bytes
  }
}

extension ByteWriter {
  /// Writes a GGUF string: its length in bytes as a 64-bit integer, then its UTF-8.
  public mutating func write(string: String) {
    write(UInt64(string.utf8.count))
    write(raw: string.utf8)
  }

  /// Writes a metadata entry: its name, the number of its type, and its value.
  /// - Parameter file: the file into which arrays point.
  public mutating func write(_ key: GGUFKey, arraysIn file: RawSpan) {
    write(string: key.name)
    write(key.value.type.rawValue)
    write(key.value, arraysIn: file)
  }

  /// Writes a metadata value without its type.
  /// - Parameter file: the file into which arrays point.
  public mutating func write(_ value: GGUFValue, arraysIn file: RawSpan) {
    switch value {
    case .uint8(let value): write(value)
    case .int8(let value): write(value)
    case .uint16(let value): write(value)
    case .int16(let value): write(value)
    case .uint32(let value): write(value)
    case .int32(let value): write(value)
    case .uint64(let value): write(value)
    case .int64(let value): write(value)
    case .float32(let value): write(value)
    case .float64(let value): write(value)
    case .bool(let value): write(UInt8(value ? 1 : 0))
    case .string(let value): write(string: value)
    case .array(let value):
      write(value.elementType.rawValue)
      write(UInt64(value.count))
      write(raw: value.encodedElements(in: file))
    }
  }

  /// Writes an entry of the tensor list.
  public mutating func write(_ tensor: GGUFTensor) {
    write(string: tensor.name)
    write(UInt32(tensor.shape.count))
    for extent in tensor.shape { write(UInt64(extent)) }
    write(tensor.type.ggml.number)
    write(UInt64(tensor.offset))
  }
}
