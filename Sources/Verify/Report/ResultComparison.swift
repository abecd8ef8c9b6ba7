import Formats
import Models
import Patch

/// A result beside one of the model before its patch.
extension ResultDocument {
  /// What the numbers of both depend on, by its name in the method.
  private static let conditions = [
    "precision", "seed", "passkey_prompt", "perplexity", "stride", "windows", "bos",
  ]

  /// Checks that the numbers of an older result can be compared with those of this one.
  /// - Parameter name: the file of the older result.
  /// - Returns: in words, what else differs besides the patch.
  /// - Throws: `ModelError` for another method, window or text.
  public func compare(withBefore older: ResultDocument, named name: String) throws -> [String] {
    if older.measured.originalWindow != measured.originalWindow {
      throw ModelError.unsupported(
        name,
        "is of a model with a window of \(older.measured.originalWindow) tokens before its patch, not \(measured.originalWindow)"
      )
    }
    if !provenance.files.isEmpty, provenance.files == older.provenance.files,
      method["factors"] == older.method["factors"]
    {
      throw ModelError.unsupported(
        name, "is a result of the same files, not of the model before its patch")
    }
    for condition in Self.conditions {
      let (own, other) = (method[condition]?.summary, older.method[condition]?.summary)
      guard own != other else { continue }
      throw ModelError.unsupported(
        name,
        "was measured with \(condition) \(other ?? "unknown"), this result with \(own ?? "unknown"); measure both alike"
      )
    }
    try requireSameTexts(as: older, name)
    return otherModel(than: older)
  }

  /// - Throws: `ModelError` if a perplexity of the older result is of other tokens.
  private func requireSameTexts(as older: ResultDocument, _ name: String) throws {
    for own in measured.perplexities {
      let other = older.measured.perplexities.first {
        $0.text == own.text && $0.result.length == own.result.length
      }
      guard let other, other.result.digest != own.result.digest else { continue }
      throw ModelError.unsupported(
        name,
        "the perplexity at \(own.result.length) is of other parts of \(own.text); measure both with the same version and options"
      )
    }
  }

  /// Signs that the older result is of another model than this one before its patch.
  private func otherModel(than older: ResultDocument) -> [String] {
    var differences: [String] = []
    if older.inspection["factors"]?.members != nil, inspection["factors"]?.isNull == true {
      differences.append(
        "before carries factors and this model none; are the two results swapped?")
    }
    let family = [self, older].map { $0.inspection["architecture"]?.text }
    if let own = family[0], let other = family[1], own != other {
      differences.append("before is a model of another architecture, \(other)")
    }
    let weights = [self, older].map { document in
      Dictionary(
        document.provenance.files.filter { $0.name.hasSuffix(".safetensors") }
          .map { ($0.name, $0.sha256) }, uniquingKeysWith: { first, _ in first })
    }
    if !weights[0].isEmpty, !weights[1].isEmpty, weights[0] != weights[1] {
      differences.append("before is a model with other weights, \(older.model)")
    }
    return differences
  }
}
