import Formats
public import Patch
public import Verify

/// Repeats what a certificate says, and says whether its claims hold.
public struct CertificateReplay: Sendable {
  /// What is repeated, and how.
  public struct Options: Sendable {
    /// Paths of texts and files of questions that are not where they were.
    public var inputs: [String] = []
    /// The pieces of work of each result that are repeated, at random; nil for all.
    public var sample: Int?
    /// The seed of that choice.
    public var sampleSeed: UInt64 = 0
    /// The number of threads.
    public var threads: Int
    /// The time after which the replay ends, without a verdict; nil for no limit.
    public var timeBudget: Duration?

    /// Options that repeat everything.
    public init(threads: Int) { self.threads = threads }
  }

  /// What a replay found.
  public struct Outcome: Sendable {
    /// The reasons why the claims do not hold; empty if they do.
    public var reasons: [String] = []
    /// What a user should know.
    public var notes: [String] = []
    /// The numbers that were compared.
    public var compared = 0
    /// The claims as they were judged again; empty for a sample.
    public var verdicts: [Verdict] = []
    /// The tolerances that were applied, one for each precision.
    public var tolerances: [Tolerance] = []
    /// Why the replay ended early; nil if it was completed.
    public var stop: EarlyStop?

    /// An outcome without reasons.
    public init() {}

    /// Whether all claims hold, as far as they were checked.
    public var holds: Bool { reasons.isEmpty && stop == nil }
  }

  private let certificate: Certificate
  private let path: String
  private let options: Options

  /// - Parameter path: the certificate's file, for errors.
  public init(_ certificate: Certificate, path: String, _ options: Options) {
    self.certificate = certificate
    self.path = path
    self.options = options
  }

  // MARK: Files

  /// Compares the model's files and the given texts with the certificate.
  /// - Parameter report: called with the share of the model's bytes that was read, from 0 to 1.
  /// - Returns: the reasons why this is not what was certified, and where the inputs are now.
  public func check(
    _ session: borrowing ModelSession, report: (Double) -> Void = { _ in }
  ) throws -> (reasons: [String], inputs: [String: String]) {
    let manifest = try ModelManifest(session, .runtime, report: report)
    let now = Dictionary(manifest.files.map { ($0.name, $0.sha256) }) { first, _ in first }
    let then = Dictionary(certificate.files.map { ($0.name, $0.sha256) }) { first, _ in first }
    func short(_ hash: String?) -> String { "\(hash?.prefix(12) ?? "")..." }
    var reasons = manifest.changes(since: certificate.files).map { name, change in
      switch change {
      case .isNew: "\(name.sanitized): the certificate does not list it"
      case .isMissing: "\(name.sanitized): is missing"
      case .isOther:
        "\(name.sanitized): has other bytes, SHA-256 \(short(now[name])), the certificate says \(short(then[name]))"
      }
    }
    if !reasons.isEmpty { reasons += try factorDifferences(session) }
    let (missing, inputs) = try findInputs()
    return (reasons + missing, inputs)
  }

  /// How the model's factors differ from those of the certificate.
  private func factorDifferences(_ session: borrowing ModelSession) throws -> [String] {
    // A model that cannot be read has been reported by its bytes.
    guard let inspection = try? Inspection(session) else { return [] }
    let now = JSONValue.object(inspection.members)
    let then = certificate.results[0].inspection
    var differences: [String] = []
    for list in ["long", "short"] {
      guard let new = now["factors"]?[list]?.doubles, let old = then["factors"]?[list]?.doubles
      else { continue }
      if new.count != old.count {
        differences.append("\(list) factors: \(new.count), the certificate says \(old.count)")
      }
      if let pair = zip(new, old).enumerated().first(where: { $1.0 != $1.1 }) {
        differences.append(
          "\(list) factor of pair \(pair.offset): \(pair.element.0.sixDigits), the certificate says \(pair.element.1.sixDigits)"
        )
      }
    }
    for kind in ["long", "short"] {
      let (new, old) = (
        now["factors"]?["mscale"]?[kind]?.double, then["factors"]?["mscale"]?[kind]?.double
      )
      if let new, let old, new != old {
        differences.append(
          "mscale for \(kind) inputs: \(new.sixDigits), the certificate says \(old.sixDigits)")
      }
    }
    for (member, words) in [("window", "window"), ("original_window", "original window")] {
      let (new, old) = (now["rope"]?[member]?.integer, then["rope"]?[member]?.integer)
      if let new, let old, new != old {
        differences.append("\(words): \(new), the certificate says \(old)")
      }
    }
    if now["factors"]?.isNull == true, then["factors"]?.isNull == false {
      differences.append("the model carries no factors, the certified one does")
    }
    return differences
  }

  /// Finds texts and files of questions by their bytes, among the given files and where they were.
  private func findInputs() throws -> (reasons: [String], inputs: [String: String]) {
    var found: [String: String] = [:]
    var reasons: [String] = []
    var hashes: [String: String] = [:]
    for path in options.inputs { hashes[try sha256(file: path)] = path }
    for input in certificate.inputs {
      if let path = hashes[input.sha256] {
        found[input.name] = path
      } else if !FileSystem.exists(input.name) || FileSystem.isFolder(input.name) {
        reasons.append(
          "\(input.name): is not here; name a file with SHA-256 \(input.sha256.prefix(12))... with --input"
        )
      } else if case let hash = try sha256(file: input.name), hash != input.sha256 {
        reasons.append(
          "\(input.name): has other bytes, SHA-256 \(hash.prefix(12))..., the certificate says \(input.sha256.prefix(12))...; name the right file with --input"
        )
      } else {
        found[input.name] = input.name
      }
    }
    return (reasons, found)
  }

  // MARK: Measurements

  /// Measures again.
  /// - Parameters:
  ///   - model: the path of the model.
  ///   - inputs: where the texts and files of questions are, as `check` found them.
  ///   - progress: called with the share of the work that is done, from 0 to 1, and what is being done.
  /// - Throws: `ModelError` for a model that cannot be run or a certificate that cannot be repeated;
  ///   `FormatError`; `FileError`.
  public func run(
    _ model: String, inputs: [String: String], environment: JobEnvironment = JobEnvironment(),
    progress: (Double, String) -> Void = { _, _ in }
  ) throws -> Outcome {
    var outcome = Outcome()
    if certificate.version != lrpatchVersion {
      outcome.notes.append(
        "the certificate is of lrpatch \(certificate.version), this is \(lrpatchVersion)")
    }
    let count = Double(certificate.results.count)
    for (index, result) in certificate.results.enumerated() {
      let job = try job(result, model, inputs, environment)
      let run = try job.run { step in
        progress((Double(index) + step.share) / count, step.label)
      }
      if let stop = run.stop {
        outcome.stop = stop
        return outcome
      }
      let tolerance = Tolerance(isExact: result.isExact)
      if !outcome.tolerances.contains(tolerance) { outcome.tolerances.append(tolerance) }
      let comparison = ReplayComparison(run.measured, result.measured, tolerance)
      outcome.compared += comparison.compared
      outcome.reasons += comparison.differences
      if options.sample == nil { judge(result, run.measured, &outcome) }
    }
    if outcome.compared == 0 { outcome.reasons.append("nothing could be measured again") }
    return outcome
  }

  private func job(
    _ result: ResultDocument, _ model: String, _ inputs: [String: String],
    _ environment: JobEnvironment
  ) throws -> VerifyJob {
    var own = try VerifyOptions(repeating: result, of: model, subject: path) { inputs[$0] ?? $0 }
    own.threads = options.threads
    own.timeBudget = options.timeBudget
    own.sample = options.sample.map { GridSample(count: $0, seed: options.sampleSeed) }
    return try VerifyJob(own, environment: environment)
  }

  /// Judges the claims again, and checks that the whole was measured.
  private func judge(_ result: ResultDocument, _ measured: Measurements, _ outcome: inout Outcome) {
    for claim in result.verdicts {
      let verdict = measured.judge(claim.gate)
      outcome.verdicts.append(verdict)
      if !claim.passes {
        outcome.reasons.append("\(claim.gate.text): the certificate itself says that it fails")
      } else if !verdict.passes {
        outcome.reasons.append("\(claim.gate.text): does not hold, \(verdict.worstText)")
      }
    }
    let counts = [
      ("passkeys", measured.passkeys.count, result.measured.passkeys.count),
      ("answers", measured.answers.count, result.measured.answers.count),
      ("perplexities", measured.perplexities.count, result.measured.perplexities.count),
      ("comparisons", measured.retentions.count, result.measured.retentions.count),
      ("crossings", measured.crossings.count, result.measured.crossings.count),
      (
        "benchmark questions", measured.benchmarks.reduce(0) { $0 + $1.documents.count },
        result.measured.benchmarks.reduce(0) { $0 + $1.documents.count }
      ),
    ]
    for (name, new, old) in counts where new != old {
      outcome.reasons.append("\(new) \(name) were measured, the certificate has \(old)")
    }
  }
}
