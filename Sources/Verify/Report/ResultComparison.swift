import Formats
import Models
import Numerics
import Patch

/// A result compared with one of the model before its patch.
extension ResultDocument {
  /// What the numbers of both depend on, by its name in the method.
  static let conditions = [
    "precision", "cache", "cache_values", "seed", "passkey_prompt", "prefill_chunk", "perplexity",
    "stride",
    "windows",
    "bos",
  ]

  /// Whether the forward pass used 32-bit floats.
  package var isExact: Bool { method["precision"]?.text == Precision.exact.rawValue }

  /// How keys and values were rounded, in words; nil if they were not.
  package var cacheRemark: String? {
    let exact = CacheTypes().keys.rawValue
    let keys = method["cache"]?.text ?? exact
    let values = method["cache_values"]?.text ?? exact
    if keys == values { return keys == exact ? nil : "keys and values kept as \(keys)" }
    return "keys kept as \(keys), values as \(values)"
  }

  /// The methods without factors that were measured besides the runtimes, in words; empty if there
  /// were none.
  package var extensionRemarks: [String] {
    var remarks: [String] = []
    if let sizes = method["self_extend"], let group = sizes["group"]?.integer,
      let window = sizes["window"]?.integer
    {
      remarks.append(
        "self-extend: without factors, keys at a distance of \(window) and more in groups of \(group)"
      )
    }
    if method["dynamic_ntk"]?.flag == true {
      remarks.append("dynamic-ntk: without factors, the base grows with the length")
    }
    return remarks
  }

  /// What conditions were in results that do not name them, because no other value was possible.
  private static let formerConditions = ["cache": "f32", "cache_values": "f32"]

  /// A condition in words; nil for one that is null or not known.
  private func summary(ofCondition name: String) -> String? {
    guard let value = method[name] else { return Self.formerConditions[name] }
    return value.isNull ? nil : value.text ?? value.summary
  }

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
      let (own, other) = (summary(ofCondition: condition), older.summary(ofCondition: condition))
      guard own != other else { continue }
      throw ModelError.unsupported(
        name,
        "was measured with \(condition) \(other ?? "unknown"), this result with \(own ?? "unknown"); measure both alike"
      )
    }
    try requireSameTexts(as: older, name)
    try requireSameQuestions(as: older, name)
    try requireCommonPlace(with: older, name)
    return otherModel(than: older)
  }

  /// - Throws: `ModelError` if a perplexity of the older result is of other tokens.
  private func requireSameTexts(as older: ResultDocument, _ name: String) throws {
    for own in measured.perplexities {
      let others = older.measured.perplexities.filter { $0.result.length == own.result.length }
      guard !others.isEmpty, !others.contains(where: { $0.result.digest == own.result.digest })
      else { continue }
      let what =
        others.contains { $0.text == own.text }
        ? "other parts of \(own.text)" : "\(others[0].text), not of \(own.text)"
      throw ModelError.unsupported(
        name,
        "the perplexity at \(own.result.length) is of \(what); measure both with the same version, texts and options"
      )
    }
  }

  /// - Throws: `ModelError` if the older result's answers to a benchmark are to other questions.
  private func requireSameQuestions(as older: ResultDocument, _ name: String) throws {
    for own in measured.benchmarks {
      let other = older.measured.benchmarks.first { $0.benchmark == own.benchmark }
      guard let other, other.promptDigest != own.promptDigest else { continue }
      throw ModelError.unsupported(
        name,
        "the answers to \(own.benchmark.name) are to other questions or examples; measure both with the same files and options"
      )
    }
  }

  /// - Throws: `ModelError` if no task was measured at the same length in both results.
  private func requireCommonPlace(with older: ResultDocument, _ name: String) throws {
    let (own, other) = (measured.tasksByLength, older.measured.tasksByLength)
    guard !own.isEmpty, !other.isEmpty, own.isDisjoint(with: other) else { return }
    throw ModelError.unsupported(
      name,
      "has nothing that this result has: it measured \(other.sorted().joined(separator: ", ")), this result \(own.sorted().joined(separator: ", "))"
    )
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

extension Measurements {
  /// What was measured at which length, in words.
  fileprivate var tasksByLength: Set<String> {
    let tasks =
      passkeys.map { ("passkeys", $0.cell.length) }
      + answers.map { ($0.task, $0.cell.length) }
      + perplexities.map { ("perplexity", $0.result.length) }
      + retentions.map { ("retention", $0.length) }
      + benchmarks.map { ($0.benchmark.name, originalWindow) }
      + crossings.map { _ in ("crossing", WindowCrossing.length(originalWindow)) }
    return Set(tasks.map { "\($0.0) at \($0.1)" })
  }
}
