/// A safetensors file on disk: its mapping and its parsed header.
public struct SafetensorsFile: ~Copyable {
  /// The mapping of the whole file.
  public let map: MappedFile
  /// The parsed header.
  public let header: SafetensorsHeader

  /// The path under which the file was opened.
  public var path: String { map.path }

  /// Maps and parses a file.
  /// - Throws: `FileError`, or `FormatError` with the file's path.
  public init(path: String) throws {
    let map = try MappedFile(path: path)
    do {
      header = try SafetensorsHeader(parsing: map.bytes)
    } catch {
      throw error.inFile(path)
    }
    self.map = map
  }

  /// The range of a tensor's data in the file.
  public func dataRange(of tensor: SafetensorsTensor) -> Range<Int> {
    (header.dataOffset + tensor.range.lowerBound)..<(header.dataOffset + tensor.range.upperBound)
  }
}
