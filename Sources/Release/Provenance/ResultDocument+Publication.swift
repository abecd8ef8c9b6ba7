import Formats
import Models
import Verify

/// What a result must be to stand next to a model.
extension ResultDocument {
  /// Checks that the result is whole and about the model as it is.
  /// - Parameter subject: the result's file.
  /// - Throws: `ModelError` for a part of a grid, a run that ended early, other factors than the
  ///   model's own, and a result that does not name the measured files.
  func requirePublishable(_ subject: String) throws(ModelError) {
    if shard != nil {
      throw .unsupported(subject, "is a part of a grid; give all its parts")
    }
    guard isComplete, measured.missing.isEmpty else {
      throw .unsupported(subject, "is from a run that ended early; run verify again to the end")
    }
    guard method["factors"]?.isNull != false else {
      throw .unsupported(
        subject, "was measured with other factors than the model's own (--factors)")
    }
    guard !provenance.files.isEmpty else {
      throw .unsupported(subject, "does not name the measured files; run verify again with -o")
    }
  }

  /// Checks that the result was measured on a model.
  /// - Parameter subject: the result's file.
  /// - Throws: `ModelError` if it is another model's.
  func require(toBeOf manifest: ModelManifest, _ subject: String) throws(ModelError) {
    guard let (name, change) = manifest.changes(since: provenance.files).first else { return }
    throw .unsupported(
      subject, "was measured on other files: \(name.sanitized) \(change.rawValue)")
  }
}

extension ModelManifest {
  /// How a file differs from what it was.
  enum Change: String {
    case isNew = "was not there"
    case isMissing = "was there"
    case isOther = "had other bytes"
  }

  /// The files that differ from older ones, by their names.
  func changes(since older: [FileDigest]) -> [(name: String, change: Change)] {
    let old = Dictionary(older.map { ($0.name, $0.sha256) }) { first, _ in first }
    let new = Dictionary(files.map { ($0.name, $0.sha256) }) { first, _ in first }
    return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map { name in
      (name, old[name] == nil ? .isNew : new[name] == nil ? .isMissing : .isOther)
    }
  }
}
