/// A GGUF file on disk: its mapping and its parsed header.
public struct GGUFFile: ~Copyable {
  /// The mapping of the whole file.
  public let map: MappedFile
  /// The parsed header.
  public let header: GGUFHeader

  /// The path under which the file was opened.
  public var path: String { map.path }

  /// Maps and parses a file.
  /// - Throws: `FileError`, or `FormatError` with the file's path.
  public init(path: String) throws {
    try self.init(map: MappedFile(path: path))
  }

  /// Maps and parses an open file.
  /// - Throws: `FileError`, or `FormatError` with the file's path.
  public init(_ descriptor: borrowing Descriptor) throws {
    try self.init(map: MappedFile(descriptor))
  }

  private init(map: consuming MappedFile) throws {
    do {
      header = try GGUFHeader(parsing: map.bytes)
    } catch {
      throw error.inFile(map.path)
    }
    self.map = map
  }

  /// The values of an F32 tensor, or nil if it is absent or has another type.
  public func floats(of name: String) -> [Float]? {
    guard let tensor = header.tensor(named: name), tensor.type == .f32 else { return nil }
    let start = header.dataOffset + tensor.offset
    return (0..<tensor.byteCount / 4).map {
      Float(bitPattern: map.bytes.load(UInt32.self, at: start + $0 * 4))
    }
  }

  /// The strings of an array, or nil if the key is absent or is not an array of strings.
  /// - Throws: `FormatError` for a string that is not UTF-8.
  public func strings(_ key: String) throws -> [String]? {
    guard case .array(let array)? = header[key: key], array.elementType == .string,
      case .inFile(let range) = array.elements
    else { return nil }
    var reader = ByteReader(map.bytes, at: range.lowerBound)
    var result: [String] = []
    result.reserveCapacity(array.count)
    for _ in 0..<array.count {
      let length = try reader.read(UInt64.self, .key(key))
      let start = try reader.take(declared: length, .key(key))
      guard let text = map.bytes.text(start..<reader.offset) else {
        throw FormatError(.invalidUTF8, at: start, .key(key)).inFile(path)
      }
      result.append(text)
    }
    return result
  }

  /// The numbers of an array, or nil if the key is absent or is not an array of 32-bit integers.
  public func integers(_ key: String) -> [Int]? {
    guard case .array(let array)? = header[key: key],
      [.int32, .uint32].contains(array.elementType), case .inFile(let range) = array.elements
    else { return nil }
    return (0..<array.count).map { Int(map.bytes.load(Int32.self, at: range.lowerBound + $0 * 4)) }
  }

  /// Whether a new array has the elements of an array of this file.
  package func hasElements(_ new: GGUFArray, of stored: GGUFArray) -> Bool {
    new.byteCount == stored.byteCount
      && new.encodedElements(in: map.bytes) == stored.encodedElements(in: map.bytes)
  }

  /// The range of a tensor's data in the file.
  public func dataRange(of tensor: GGUFTensor) -> Range<Int> {
    let start = header.dataOffset + tensor.offset
    return start..<start + tensor.byteCount
  }
}

extension FormatError {
  /// The same error with its file's path.
  public func inFile(_ path: String) -> FormatError {
    var named = self
    named.file = path
    return named
  }
}
