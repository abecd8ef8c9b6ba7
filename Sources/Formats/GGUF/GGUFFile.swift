/// A GGUF file on disk: its mapping and its parsed head.
public struct GGUFFile: ~Copyable {
  public let map: MappedFile
  public let header: GGUFHeader

  public var path: String { map.path }

  /// - Throws: `FileError`, or `FormatError` with the file's name.
  public init(path: String) throws {
    try self.init(map: MappedFile(path: path))
  }

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

  /// The 32-bit floats of a tensor, or nil where it is absent or of another type.
  public func floats(of name: String) -> [Float]? {
    guard let tensor = header.tensor(named: name), tensor.type == .f32 else { return nil }
    let start = header.dataOffset + tensor.offset
    return (0..<tensor.byteCount / 4).map {
      Float(bitPattern: map.bytes.load(UInt32.self, at: start + $0 * 4))
    }
  }

  /// The range of a tensor's data in the file.
  public func dataRange(of tensor: GGUFTensor) -> Range<Int> {
    let start = header.dataOffset + tensor.offset
    return start..<start + tensor.byteCount
  }
}

extension FormatError {
  /// The same error, naming its file.
  public func inFile(_ path: String) -> FormatError {
    var named = self
    named.file = path
    return named
  }
}
