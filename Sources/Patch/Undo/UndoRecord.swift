import Formats
import FoundationEssentials

/// What `revert` needs to undo one apply: the bytes that were there, and the marks by which the model is recognised.
///
/// A folder keeps its records in `.lrpatch/`, a GGUF file in its own key `lrpatch.undo`: the record before it is part of
/// the bytes that it restores, so the records form a stack. The bytes are zstd-compressed JSON without dates, so that
/// the same patch gives the same bytes.
package struct UndoRecord: Equatable, Sendable, Codable {
  static let schema = "lrpatch.undo/1"
  package static let key = "lrpatch.undo"
  /// A record holds headers and configs; one larger than this is hostile.
  static let maximumByteCount = 128 << 20

  var schema = UndoRecord.schema
  var version: String
  var factorsSHA256: String
  var files: [File]

  struct File: Equatable, Sendable, Codable {
    /// The file's name in a folder, or a shard's number, since files get renamed.
    var name: String
    /// For a file replaced whole: its bytes before and after.
    var before: PackedBytes?
    var after: PackedBytes?
    /// For a GGUF file: the edit that restores it.
    var layout: LayoutEdit?
    /// For a GGUF file: what it must look like for that edit to fit.
    var marks: GGUFMarks?
  }

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return Zstd.compress(Array(try encoder.encode(self)))
  }

  /// - Throws: `PatchError` for bytes that are no record.
  init(decoding bytes: [UInt8], subject: String) throws(PatchError) {
    do {
      let text = try Zstd.decompress(bytes, limit: Self.maximumByteCount)
      self = try JSONDecoder().decode(UndoRecord.self, from: Data(text))
    } catch {
      throw .unsupported(subject, "its undo record is damaged; nothing was changed")
    }
    guard schema == Self.schema else {
      throw .unsupported(subject, "its undo record has the schema '\(schema)', expected '\(Self.schema)'")
    }
  }

  init(version: String, factorsSHA256: String, files: [File]) {
    self.version = version
    self.factorsSHA256 = factorsSHA256
    self.files = files
  }
}

/// A short digest of each key of a GGUF file and one of its tensor list: enough to say what others have changed since
/// a record was made.
struct GGUFMarks: Equatable, Sendable, Codable {
  var keys: [String: String]
  var tensors: String
  var dataOffset: Int

  /// Keys whose values the digests leave out: the record cannot contain itself.
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

  /// What differs from the file as it is now, in words; empty where nothing does.
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
