import Formats
import FoundationEssentials
import Models

/// What `revert` needs to undo one apply: the old bytes, and marks that identify the patched model.
///
/// A folder keeps its records in `.lrpatch/`, a GGUF file in its key `lrpatch.undo`. The previous
/// record of a GGUF file is part of the bytes that a record restores, so the records form a stack.
/// A record is zstd-compressed JSON without dates, so that the same patch gives the same bytes.
package struct UndoRecord: Equatable, Sendable, Codable {
  static let schema = DocumentSchema.undo.rawValue
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

  /// The record of the last apply that a GGUF model carries in its first shard, if there is one.
  /// - Throws: `ModelError` for a damaged record.
  init?(in first: borrowing GGUFFile, path: String) throws(ModelError) {
    guard case .array(let array)? = first.header[key: Self.key] else { return nil }
    try self.init(decoding: array.encodedElements(in: first.map.bytes), subject: path)
  }

  /// What was edited in a GGUF model since the last apply; empty if it has no record.
  /// - Parameter paths: those of all shards.
  static func edits(of paths: [String]) throws -> [GGUFMarks.Difference] {
    guard let record = try UndoRecord(in: GGUFFile(path: paths[0]), path: paths[0]) else {
      return []
    }
    return try record.files.flatMap { shard -> [GGUFMarks.Difference] in
      guard let number = Int(shard.name), paths.indices.contains(number), let marks = shard.marks
      else { return [] }
      let file = try GGUFFile(path: paths[number])
      return marks.differences(from: GGUFMarks(file.header, bytes: file.map.bytes))
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

  /// What an edit did to a file after it was patched.
  enum Difference: CustomStringConvertible {
    case added(String)
    case removed(String)
    case changed(String)
    case tensorList
    case rewritten

    /// The key that has another value.
    var changedKey: String? {
      if case .changed(let name) = self { name } else { nil }
    }

    var description: String {
      switch self {
      case .added(let name): "key '\(name.sanitized)' was added"
      case .removed(let name): "key '\(name.sanitized)' was removed"
      case .changed(let name): "key '\(name.sanitized)' was changed"
      case .tensorList: "the tensor list was changed"
      case .rewritten: "the file was rewritten"
      }
    }
  }

  /// The differences from the current file, by name; empty if there are none.
  func differences(from now: GGUFMarks) -> [Difference] {
    var result: [Difference] = []
    for name in Set(keys.keys).union(now.keys.keys).sorted() where keys[name] != now.keys[name] {
      result.append(
        keys[name] == nil
          ? .added(name) : now.keys[name] == nil ? .removed(name) : .changed(name))
    }
    if tensors != now.tensors { result.append(.tensorList) }
    if dataOffset != now.dataOffset, result.allSatisfy({ $0.changedKey != nil }) {
      result.append(.rewritten)
    }
    return result
  }
}
