import Formats

/// All changes that one command will make to a model.
///
/// A plan can be shown and compared before `PlanWriter` performs it.
public struct Plan: Sendable {
  /// The changes in words, for `--dry-run` and the final message.
  public var changes: [Change]
  /// Notes for the user that are not changes.
  public var remarks: [String]
  package var edits: [FileEdit]

  /// Whether nothing needs to change.
  public var isEmpty: Bool { edits.isEmpty }

  /// A change of one member, key or tensor.
  public struct Change: Equatable, Sendable {
    /// The name of the file.
    public var file: String
    /// The path of the member, or the name of the key or tensor.
    public var name: String
    /// The old value, or nil if there was none.
    public var old: String?
    /// The new value, or nil if there will be none.
    public var new: String?
  }
}

/// The change of one file, which is named relative to the model's folder.
package struct FileEdit: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    /// Replaces a whole small file. A nil means that the file does not exist.
    case contents(old: [UInt8]?, new: [UInt8]?)
    /// Edits a large file in place. `inverse` undoes the edit.
    case layout(LayoutEdit, inverse: LayoutEdit)
  }

  package var name: String
  package var action: Action
}

extension Plan {
  /// The changes as a diff, grouped by file.
  public var diff: String {
    var lines: [String] = []
    var file: String?
    for change in changes {
      if change.file != file {
        lines += ["--- \(change.file)", "+++ \(change.file)"]
        file = change.file
      }
      if let old = change.old { lines.append("-\(change.name): \(old)") }
      if let new = change.new { lines.append("+\(change.name): \(new)") }
    }
    return lines.joined(separator: "\n")
  }
}
