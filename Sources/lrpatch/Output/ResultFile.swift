import Formats
import Patch

/// The file that a result is to be written to, made before the work that it is the result of: what would keep it from
/// being written is known at once.
struct ResultFile: ~Copyable {
  private let output: OutputFile

  /// - Throws: `PatchError` of kind unsafe for a path where something else stands than an older result of the same kind;
  ///   `FileError` where no file can be made.
  init(_ path: String, schema: String) throws {
    if let status = try? FileStatus(of: path, followingLinks: false) {
      guard status.kind == .file, status.size <= 64 << 20,
        let bytes = try? FileSystem.contents(of: path), bytes.isEmpty || Self.schema(bytes) == schema
      else {
        throw PatchError.unsafe(path, "exists already and is no result of this command; name a new path")
      }
    }
    output = try OutputFile(path: path)
  }

  private static func schema(_ bytes: [UInt8]) -> String? {
    (try? JSONDocument(parsing: bytes))?.value["schema"]?.text
  }

  consuming func write(_ value: JSONValue) throws {
    try output.descriptor.write(JSONStyle.standard.encode(value) + [0x0A], at: 0)
    try output.commit()
  }
}
