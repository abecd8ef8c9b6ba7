import Formats
import FoundationEssentials
import Models

/// What `revert` needs to undo one apply: the old bytes, and marks that identify the patched model.
///
/// A folder keeps its records in `.lrpatch/`, a GGUF file in its key `lrpatch.undo`. The previous
/// record of a GGUF file is part of the bytes that a record restores, so the records form a stack.
/// A record is zstd-compressed JSON without dates, so that the same patch gives the same bytes.
package struct UndoRecord: Equatable, Sendable, Codable {
  static let schema = "lrpatch.undo/1"
  package static let key = "lrpatch.undo"
  /// A record contains only headers and configs.
  ///
  /// A larger one is refused as hostile.
  static let maximumByteCount = 128 << 20

  var schema = UndoRecord.schema
  var version: String
  var factorsSHA256: String
  var files: [File]

  struct File: Equatable, Sendable, Codable {
    /// The name of a file in a folder, or the number of a shard, because GGUF files get renamed.
    var name: String
    /// The bytes of a config before the apply.
    var before: Base64Bytes?
    /// The bytes of a config after the apply.
    var after: Base64Bytes?
    /// The edit that restores a GGUF file.
    var layout: LayoutEdit?
    /// The marks of the GGUF file after the apply.
    var marks: GGUFMarks?
  }

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return Zstd.compress(Array(try encoder.encode(self)))
  }

  /// - Throws: `ModelError` for bytes that are not an undo record.
  init(decoding bytes: [UInt8], subject: String) throws(ModelError) {
    do {
      let text = try Zstd.decompress(bytes, limit: Self.maximumByteCount)
      self = try JSONDecoder().decode(UndoRecord.self, from: Data(text))
    } catch {
      throw .unsupported(subject, "its undo record is damaged; nothing was changed")
    }
    guard schema == Self.schema else {
      throw .unsupported(
        subject, "its undo record has the schema '\(schema)', expected '\(Self.schema)'")
    }
  }

  init(version: String, factorsSHA256: String, files: [File]) {
    self.version = version
    self.factorsSHA256 = factorsSHA256
    self.files = files
  }
}

/// Short digests of each key and of the tensor list of a GGUF file.
///
/// They show what was changed since a record was made.
struct GGUFMarks: Equatable, Sendable, Codable {
  var keys: [String: String]
  var tensors: String
  var dataOffset: Int

  /// Keys without a digest, because a record cannot contain its own digest.
  private static let unmarked: Set<String> = [UndoRecord.key, GGUFEdit.paddingKey]

  init(_ header: GGUFHeader, bytes: RawSpan) {
    keys = [:]
    for key in header.keys where !Self.unmarked.contains(key.name) {
      keys[key.name] = Self.short(bytes.copy(key.range))
    }
    tensors = Self.short(bytes.copy(header.tensorsOffset..<header.end))
    dataOffset = header.dataOffset
  }

  private static func short(_ bytes: [UInt8]) -> String { String(sha256(bytes).prefix(8)) }

  /// The differences from the current file, in words; empty if there are none.
  func differences(from now: GGUFMarks) -> [String] {
    var result: [String] = []
    for name in Set(keys.keys).union(now.keys.keys).sorted() where keys[name] != now.keys[name] {
      let what = keys[name] == nil ? "added" : now.keys[name] == nil ? "removed" : "changed"
      result.append("key '\(name.sanitized)' was \(what)")
    }
    if tensors != now.tensors { result.append("the tensor list was changed") }
    if result.isEmpty && dataOffset != now.dataOffset { result.append("the file was rewritten") }
    return result
  }
}
