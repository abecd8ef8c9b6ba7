import Formats
public import Models

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

  /// Reads a saved result and judges it.
  /// - Parameter gates: the gates; none for those that the result was judged by.
  /// - Throws: as `init(path:)` does; `ModelError` for a saved gate that cannot be read.
  public init(path: String, judgingBy gates: [Gate]) throws {
    try self.init(path: path)
    verdicts = try (gates.isEmpty ? readGates(path) : gates).map(measured.judge)
  }

  /// The gates by which a saved result was judged.
  /// - Parameter subject: its file.
  /// - Throws: `ModelError` for one that cannot be read.
  public func readGates(_ subject: String) throws(ModelError) -> [Gate] {
    var gates: [Gate] = []
    for text in savedGates {
      guard let gate = try? Gate(text) else {
        throw .unsupported(
          subject, "its gate '\(text.sanitized)' cannot be read; name gates with --require")
      }
      gates.append(gate)
    }
    return gates
  }

  /// Reads saved results and merges them: the parts of a grid, or runs of different tasks.
  /// - Throws: as `init(path:)` and `merged(_:)` do.
  public static func merged(paths: [String]) throws -> ResultDocument {
    try merged(paths.map { (name: $0, document: try ResultDocument(path: $0)) })
  }
}
