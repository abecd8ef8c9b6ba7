import Formats

extension ResultDocument {
  /// Reads a saved result.
  /// - Throws: `FileError`; `FormatError`; `ModelError` for JSON that is not a saved result.
  public init(path: String) throws {
    let bytes = try FileSystem.contents(of: path, limit: 256 << 20)
    do {
      try self.init(json: JSONDocument(parsing: bytes).value, subject: path)
    } catch let error as FormatError {
      throw error.inFile(path)
    }
  }

  /// Reads saved results and merges them: the parts of a grid, or runs of different tasks.
  /// - Throws: as `init(path:)` and `merged(_:)` do.
  public static func merged(paths: [String]) throws -> ResultDocument {
    try merged(paths.map { (name: $0, document: try ResultDocument(path: $0)) })
  }
}
