import Formats
import Models
import Patch

/// The file for a result, made before the work, so that failures show at once.
struct ResultFile: ~Copyable {
  private let output: OutputFile
  /// Whether the file holds a result that is complete.
  let holdsCompleteResult: Bool

  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything but an older result of the
  ///   same kind; `FileError` if no file can be made there.
  init(_ path: String, schema: String) throws {
    if let status = try? FileStatus(of: path, followingLinks: false) {
      guard status.kind == .file, status.size <= 64 << 20,
        let bytes = try? FileSystem.contents(of: path),
        bytes.isEmpty || Self.schema(bytes) == schema
      else {
        throw ModelError.unsafe(path, "already exists and is not a saved result; name a new path")
      }
    }
    let old = try? JSONDocument(parsing: FileSystem.contents(of: path)).value
    let file = try OutputFile(path: path)
    output = consume file
    holdsCompleteResult = old?["complete"]?.flag == true
  }

  private static func schema(_ bytes: [UInt8]) -> String? {
    (try? JSONDocument(parsing: bytes))?.value["schema"]?.text
  }

  consuming func write(_ value: JSONValue) throws {
    try output.descriptor.write(JSONStyle.standard.encode(value) + [0x0A], at: 0)
    try output.commit()
  }
}
