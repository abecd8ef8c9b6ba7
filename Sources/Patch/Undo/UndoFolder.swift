import Formats

/// The undo records of a Hugging Face folder, one per apply: `.lrpatch/0001.undo`, `0002.undo`, ...
package struct UndoFolder {
  package static let name = ".lrpatch"

  /// Whether a file name in that folder is an undo record.
  static func isRecordName(_ name: Substring) -> Bool {
    name.wholeMatch(of: /[0-9]{4,9}\.undo/) != nil
  }

  /// Whether a path relative to the model's folder is an undo record.
  static func isRecordPath(_ path: String) -> Bool {
    path.hasPrefix("\(name)/") && isRecordName(path.dropFirst(name.count + 1))
  }

  let modelPath: String

  /// The paths of all records relative to the model's folder, oldest first.
  var names: [String] {
    let all = (try? FileSystem.names(in: "\(modelPath)/\(Self.name)")) ?? []
    return all.filter { Self.isRecordName($0[...]) }.map { "\(Self.name)/\($0)" }
  }

  var nextName: String {
    let last = names.last.flatMap { Int($0.dropFirst(Self.name.count + 1).dropLast(5)) } ?? 0
    let digits = String(last + 1)
    return "\(Self.name)/\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits).undo"
  }

  func record(_ name: String) throws -> UndoRecord {
    let path = "\(modelPath)/\(name)"
    return try UndoRecord(decoding: FileSystem.contents(of: path), subject: path)
  }
}
