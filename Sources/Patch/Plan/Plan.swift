import Formats

/// Everything that one command will change in a model, before anything is changed: it can be shown, compared, and
/// performed by `PlanWriter`.
public struct Plan: Sendable {
  /// What the change means, for `--dry-run` and the final message.
  public var changes: [Change]
  /// Things worth saying that are no changes.
  public var remarks: [String]
  package var edits: [FileEdit]

  /// True where the model is already as it should be.
  public var isEmpty: Bool { edits.isEmpty }

  /// One member, key or tensor that changes.
  public struct Change: Equatable, Sendable {
    public var file: String
    public var name: String
    /// nil for what was not there.
    public var old: String?
    /// nil for what will not be there.
    public var new: String?
  }
}

/// The change of one file of a model, by its name in the model's folder.
package struct FileEdit: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    /// A small file replaced whole; nil on either side means that it does not exist.
    case contents(old: [UInt8]?, new: [UInt8]?)
    /// A large file edited in place, with the edit that undoes it.
    case layout(LayoutEdit, inverse: LayoutEdit)
  }

  package var name: String
  package var action: Action
}

extension Plan {
  /// The changes as a diff, file by file.
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
