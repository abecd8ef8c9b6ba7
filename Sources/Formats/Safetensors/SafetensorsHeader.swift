/// The header of a safetensors file.
///
/// The file's layout:
///
///     header length u64  |  JSON object, padded with spaces  |  tensor data
///     {"__metadata__": {str: str},
///      NAME: {"dtype": str, "shape": [int], "data_offsets": [begin, end]}, ...}
///
/// Offsets count from the start of the data. Validation is that of the reference reader, and closes
/// two of its gaps: the header begins with `{`, and no key appears twice. The tensors cover the
/// data without holes or overlaps.
public struct SafetensorsHeader: Equatable, Sendable {
  /// The reference reader's limit on the header's length.
  public static let maximumByteCount = 100_000_000

  /// The members of `__metadata__`, or nil if it is absent, which differs from an empty one.
  public var metadata: [JSONMember]?
  /// The tensors in the order of the file's header.
  public var tensors: [SafetensorsTensor]
  /// The offset at which tensor data begins.
  public var dataOffset: Int

  /// The tensor with a name, or nil if there is none.
  public func tensor(named name: String) -> SafetensorsTensor? {
    tensors.first { $0.name == name }
  }

  /// Parses the header of a file.
  /// - Parameter bytes: the whole file.
  /// - Throws: `FormatError` with the offset and the tensor.
  public init(parsing bytes: RawSpan) throws(FormatError) {
    var reader = ByteReader(bytes)
    let length = try reader.read(UInt64.self, .header)
    guard length <= UInt64(Self.maximumByteCount) else {
      throw FormatError(.tooLarge(length, limit: UInt64(Self.maximumByteCount)), at: 0, .header)
    }
    let start = try reader.take(declared: length, .header)
    let text = bytes.copy(start..<reader.offset)
    guard text.first == UInt8(ascii: "{") else {
      throw FormatError(.headerNotAnObject(found: text.first ?? 0), at: 8, .header)
    }
    let members: [JSONMember]
    do {
      members = try JSONDocument(parsing: text).value.members ?? []
    } catch {
      throw FormatError(error.reason, at: (error.offset ?? 0) + 8, error.subject ?? .header)
    }
    metadata = try Self.metadata(members.first { $0.name == "__metadata__" }?.value)
    tensors = []
    for member in members where member.name != "__metadata__" {
      tensors.append(try SafetensorsTensor(name: member.name, parsing: member.value))
    }
    dataOffset = reader.offset
    try requireFullCover(of: bytes.byteCount)
  }

  private static func metadata(_ value: JSONValue?) throws(FormatError) -> [JSONMember]? {
    guard let value, !value.isNull else { return nil }
    guard let members = value.members else {
      throw FormatError(
        .wrongType(expected: "an object", found: value.kind), .member("__metadata__"))
    }
    for member in members where member.value.text == nil {
      throw FormatError(
        .wrongType(expected: "a string", found: member.value.kind),
        .member("__metadata__.\(member.name)"))
    }
    return members
  }

  private func requireFullCover(of fileSize: Int) throws(FormatError) {
    var end = 0
    var previous: SafetensorsTensor?
    for tensor in tensors.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard tensor.range.lowerBound <= end else {
        throw FormatError(
          .hole(from: UInt64(end), to: UInt64(tensor.range.lowerBound)), .tensor(tensor.name))
      }
      guard tensor.range.lowerBound == end else {
        throw FormatError(.overlap(with: previous?.name ?? ""), .tensor(tensor.name))
      }
      end = tensor.range.upperBound
      previous = tensor
    }
    let (fileEnd, overflow) = end.addingReportingOverflow(dataOffset)
    guard !overflow, fileEnd == fileSize else {
      throw FormatError(
        .uncovered(end: UInt64(dataOffset) + UInt64(end), fileSize: UInt64(fileSize)), .header)
    }
  }
}

/// One tensor of a safetensors file.
public struct SafetensorsTensor: Equatable, Sendable {
  /// The name, such as `model.norm.weight`.
  public var name: String
  /// The type of the elements.
  public var dtype: ElementType
  /// Elements along each dimension, the slowest-varying first.
  public var shape: [Int]
  /// The range of its bytes, from the start of the data.
  public var range: Range<Int>

  /// Creates an entry without checking that the range fits the shape.
  public init(name: String, dtype: ElementType, shape: [Int], range: Range<Int>) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.range = range
  }

  /// Other fields than the three are allowed, as in the reference reader.
  init(name: String, parsing value: JSONValue) throws(FormatError) {
    self.name = name
    let subject = FormatError.Subject.tensor(name)
    guard let typeName = value["dtype"]?.text else {
      throw FormatError(.invalidDescription("'dtype' is not a string"), subject)
    }
    dtype = ElementType(safetensors: typeName)
    guard let shape = value["shape"]?.naturals else {
      throw FormatError(.invalidDescription("'shape' is not a list of natural numbers"), subject)
    }
    guard let offsets = value["data_offsets"]?.naturals, offsets.count == 2,
      offsets[0] <= offsets[1]
    else {
      throw FormatError(
        .invalidDescription("'data_offsets' is not an ascending pair of natural numbers"), subject)
    }
    self.shape = shape
    range = offsets[0]..<offsets[1]
    if let bits = dtype.bits { try requireSize(bits: bits) }
  }

  private func requireSize(bits: Int) throws(FormatError) {
    var total = bits
    for extent in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw FormatError(.sizeOverflow, .tensor(name)) }
      total = product
    }
    guard total % 8 == 0 else { throw FormatError(.subByteRemainder, .tensor(name)) }
    guard total / 8 == range.count else {
      throw FormatError(
        .shapeDoesNotFit(declared: UInt64(total / 8), spanned: UInt64(range.count)),
        .tensor(name))
    }
  }
}

extension JSONValue {
  /// The numbers of a list of whole numbers from 0 to 2^63 - 1, written without fraction or
  /// exponent, otherwise nil.
  fileprivate var naturals: [Int]? {
    guard let elements else { return nil }
    var result: [Int] = []
    for element in elements {
      // The reference takes -0 for a fraction.
      guard case .number(let text) = element, !text.hasPrefix("-"), let value = Int(text) else {
        return nil
      }
      result.append(value)
    }
    return result
  }
}
