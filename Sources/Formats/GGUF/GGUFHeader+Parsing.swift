extension GGUFHeader {
  /// Reads the header of a file.
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - requireData: whether the tensor data must be there too.
  /// - Throws: `FormatError` with the offset and the key or tensor.
  public init(parsing bytes: RawSpan, requireData: Bool = true) throws(FormatError) {
    var reader = ByteReader(bytes)
    let magicEnd = min(4, bytes.byteCount)
    let found = bytes.copy(0..<magicEnd)
    guard found == Self.magic else { throw FormatError(.notGGUF(found: found), at: 0, .header) }
    _ = try reader.take(4, .header)

    version = try reader.read(UInt32.self, .header)
    guard version & 0xFFFF != 0 || version == 0 else {
      throw FormatError(.bigEndian, at: 4, .header)
    }
    guard version == 2 || version == 3 else {
      throw FormatError(.unsupportedVersion(version), at: 4, .header)
    }
    let tensorCount = try reader.readCount("tensors", minimumBytes: 24)
    let keyCount = try reader.readCount("keys", minimumBytes: 13)

    keys = try reader.readKeys(keyCount, in: bytes)
    alignment = try Self.alignment(among: keys)
    tensorsOffset = reader.offset
    tensors = try reader.readTensors(tensorCount, alignment: alignment, in: bytes)
    end = reader.offset
    dataOffset = tensorCount > 0 ? end.roundedUp(to: alignment) : end
    if requireData { try checkData(within: bytes.byteCount) }
  }

  /// Checks that all tensor data is there.
  ///
  /// The padding of the last tensor may be absent, because some writers leave it out.
  private func checkData(within fileSize: Int) throws(FormatError) {
    guard let last = tensors.last else { return }
    let (dataEnd, overflow) = dataOffset.addingReportingOverflow(last.offset + last.byteCount)
    guard !overflow, dataEnd <= fileSize else {
      let missing = tensors.first { dataOffset + $0.offset + $0.byteCount > fileSize } ?? last
      let end = UInt64(dataOffset) + UInt64(missing.offset) + UInt64(missing.byteCount)
      throw FormatError(
        .dataBeyondEnd(end: end, fileSize: UInt64(fileSize)), .tensor(missing.name))
    }
  }

  private static func alignment(among keys: [GGUFKey]) throws(FormatError) -> Int {
    guard let key = keys.first(where: { $0.name == "general.alignment" }) else {
      return defaultAlignment
    }
    guard case .uint32(let value) = key.value else {
      throw FormatError(
        .wrongType(expected: GGUFValueType.uint32.name, found: key.value.type.name),
        at: key.range.lowerBound, .key(key.name))
    }
    guard value.nonzeroBitCount == 1, value <= 1 << 20 else {
      throw FormatError(.badAlignment(value), at: key.valueOffset, .key(key.name))
    }
    return Int(value)
  }
}

extension ByteReader {
  /// Reads a count, and refuses it if the rest of the file cannot hold that many entries.
  @_lifetime(self: copy self)
  fileprivate mutating func readCount(
    _ what: String, minimumBytes: Int
  ) throws(FormatError) -> Int {
    let start = offset
    let count = try read(UInt64.self, .header)
    guard count <= UInt64(remaining / minimumBytes) else {
      throw FormatError(
        .impossibleCount(count, what: what, available: UInt64(remaining)), at: start, .header)
    }
    return Int(count)
  }

  /// Reads a string and returns the range of its bytes.
  @_lifetime(self: copy self)
  fileprivate mutating func readStringRange(
    _ subject: FormatError.Subject
  ) throws(FormatError) -> Range<Int> {
    let length = try read(UInt64.self, subject)
    let start = try take(declared: length, subject)
    return start..<offset
  }

  // MARK: Keys

  @_lifetime(self: copy self)
  fileprivate mutating func readKeys(
    _ count: Int, in bytes: RawSpan
  ) throws(FormatError) -> [GGUFKey] {
    var keys: [GGUFKey] = []
    var seen: Set<String> = []
    for index in 0..<count {
      let key = try readKey(index, in: bytes)
      guard seen.insert(key.name).inserted else {
        throw FormatError(.duplicateKey, at: key.range.lowerBound, .key(key.name))
      }
      keys.append(key)
    }
    return keys
  }

  @_lifetime(self: copy self)
  private mutating func readKey(_ index: Int, in bytes: RawSpan) throws(FormatError) -> GGUFKey {
    let start = offset
    let range = try readStringRange(.keyNumber(index))
    guard !range.isEmpty else { throw FormatError(.emptyKey, at: start, .keyNumber(index)) }
    guard range.count <= 65_535 else {
      throw FormatError(
        .nameTooLong(range.count, limit: 65_535), at: start, .keyNumber(index))
    }
    guard let name = bytes.text(range) else {
      throw FormatError(.invalidUTF8, at: range.lowerBound, .keyNumber(index))
    }
    let type = try readValueType(.key(name))
    let value = try readValue(type, .key(name), in: bytes)
    return GGUFKey(name, value, range: start..<offset)
  }

  @_lifetime(self: copy self)
  private mutating func readValueType(
    _ subject: FormatError.Subject
  ) throws(FormatError) -> GGUFValueType {
    let start = offset
    let number = try read(UInt32.self, subject)
    guard let type = GGUFValueType(rawValue: number) else {
      throw FormatError(.unknownValueType(number), at: start, subject)
    }
    return type
  }

  @_lifetime(self: copy self)
  private mutating func readValue(
    _ type: GGUFValueType, _ subject: FormatError.Subject, in bytes: RawSpan
  ) throws(FormatError) -> GGUFValue {
    switch type {
    case .uint8: return .uint8(try read(UInt8.self, subject))
    case .int8: return .int8(try read(Int8.self, subject))
    case .uint16: return .uint16(try read(UInt16.self, subject))
    case .int16: return .int16(try read(Int16.self, subject))
    case .uint32: return .uint32(try read(UInt32.self, subject))
    case .int32: return .int32(try read(Int32.self, subject))
    case .uint64: return .uint64(try read(UInt64.self, subject))
    case .int64: return .int64(try read(Int64.self, subject))
    case .float32: return .float32(Float(bitPattern: try read(UInt32.self, subject)))
    case .float64: return .float64(Double(bitPattern: try read(UInt64.self, subject)))
    case .bool: return .bool(try read(UInt8.self, subject) != 0)
    case .string:
      let range = try readStringRange(subject)
      guard let text = bytes.text(range) else {
        throw FormatError(.invalidUTF8, at: range.lowerBound, subject)
      }
      return .string(text)
    case .array:
      return .array(try readArray(subject, depth: 1))
    }
  }

  /// Skips an array and keeps only its type, count and range.
  @_lifetime(self: copy self)
  private mutating func readArray(
    _ subject: FormatError.Subject, depth: Int
  ) throws(FormatError) -> GGUFArray {
    guard depth <= GGUFHeader.maximumNesting else {
      throw FormatError(.nestedTooDeep(limit: GGUFHeader.maximumNesting), at: offset, subject)
    }
    let type = try readValueType(subject)
    let countOffset = offset
    let count = try read(UInt64.self, subject)
    guard count <= UInt64(remaining / type.minimumBytes) else {
      throw FormatError(
        .impossibleCount(count, what: "elements", available: UInt64(remaining)),
        at: countOffset, subject)
    }
    let start = offset
    switch type {
    case .string: for _ in 0..<count { _ = try readStringRange(subject) }
    case .array: for _ in 0..<count { _ = try readArray(subject, depth: depth + 1) }
    default: _ = try take(Int(count) * type.minimumBytes, subject)
    }
    return GGUFArray(elementType: type, count: Int(count), elements: .inFile(start..<offset))
  }

  // MARK: Tensors

  @_lifetime(self: copy self)
  fileprivate mutating func readTensors(
    _ count: Int, alignment: Int, in bytes: RawSpan
  ) throws(FormatError) -> [GGUFTensor] {
    var tensors: [GGUFTensor] = []
    var seen: Set<String> = []
    var expected = 0
    for index in 0..<count {
      let start = offset
      let tensor = try readTensor(index, expected: expected, alignment: alignment, in: bytes)
      guard seen.insert(tensor.name).inserted else {
        throw FormatError(.duplicateTensor, at: start, .tensor(tensor.name))
      }
      let (next, overflow) = expected.addingReportingOverflow(tensor.paddedByteCount)
      guard !overflow, next <= Int.max / 2 else {
        throw FormatError(.sizeOverflow, at: start, .tensor(tensor.name))
      }
      expected = next
      tensors.append(tensor)
    }
    return tensors
  }

  @_lifetime(self: copy self)
  private mutating func readTensor(
    _ index: Int, expected: Int, alignment: Int, in bytes: RawSpan
  ) throws(FormatError) -> GGUFTensor {
    let start = offset
    let range = try readStringRange(.tensorNumber(index))
    guard range.count < 64 else {
      throw FormatError(.nameTooLong(range.count, limit: 63), at: start, .tensorNumber(index))
    }
    guard let name = bytes.text(range) else {
      throw FormatError(.invalidUTF8, at: range.lowerBound, .tensorNumber(index))
    }
    let shape = try readShape(.tensor(name))
    let typeOffset = offset
    let typeNumber = try read(UInt32.self, .tensor(name))
    let type: ElementType
    do { type = try ElementType(ggmlNumber: typeNumber) } catch {
      throw FormatError(error.reason, at: typeOffset, .tensor(name))
    }
    let size = try Self.byteCount(
      of: shape, type, alignment, FormatError(.sizeOverflow, at: start, .tensor(name)))
    let offsetOffset = offset
    let dataOffset = try read(UInt64.self, .tensor(name))
    guard dataOffset == UInt64(expected) else {
      throw FormatError(
        .misplacedTensor(expected: UInt64(expected), found: dataOffset),
        at: offsetOffset, .tensor(name))
    }
    return GGUFTensor(
      name: name, shape: shape, type: type, offset: expected,
      byteCount: size, padded: size.roundedUp(to: alignment))
  }

  @_lifetime(self: copy self)
  private mutating func readShape(_ subject: FormatError.Subject) throws(FormatError) -> [Int] {
    let start = offset
    let rank = try read(UInt32.self, subject)
    guard rank <= 4 else { throw FormatError(.tooManyDimensions(rank), at: start, subject) }
    var shape: [Int] = []
    for _ in 0..<rank {
      let place = offset
      let extent = try read(Int64.self, subject)
      guard extent >= 0 else {
        throw FormatError(.negativeDimension(extent), at: place, subject)
      }
      shape.append(Int(extent))
    }
    return shape
  }

  /// The bytes of a tensor, without padding.
  /// - Throws: `overflow` if the number of bytes, with padding, exceeds 63 bits.
  private static func byteCount(
    of shape: [Int], _ type: ElementType, _ alignment: Int, _ overflow: FormatError
  ) throws(FormatError) -> Int {
    let row = shape.first ?? 1
    let block = type.ggml.block
    guard row % block.elements == 0 else {
      throw FormatError(
        .unevenRow(Int64(row), block: block.elements), at: overflow.offset, overflow.subject)
    }
    var elements = 1
    for extent in shape {
      let (product, wrapped) = elements.multipliedReportingOverflow(by: extent)
      if wrapped { throw overflow }
      elements = product
    }
    let blocks = elements / block.elements
    let (bytes, wrapped) = blocks.multipliedReportingOverflow(by: block.bytes)
    guard !wrapped, bytes <= Int.max - alignment else { throw overflow }
    return bytes
  }
}
