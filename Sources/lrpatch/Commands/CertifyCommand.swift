import ArgumentParser
import Formats
import Models
import Patch
import Release
import Verify

struct CertifyCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "certify",
    abstract: "Certifies what was measured on a model, so that others can repeat it; repeats it.",
    discussion: """
      Writes an in-toto statement about the model's files: the results of verify with everything that it \
      takes to repeat them, and the gates as claims. Puts the results into the model card too. With \
      --replay, measures again what a certificate says. Exit 1 if a claim does not hold, or if the model's \
      weights or factors, or a text, are others than the certified ones.
      """
        + examples(
          (
            "measure, then certify",
            "verify model --lengths 4k,32k --require 'passkey>=95%' -o result.json && lrpatch certify model --result result.json"
          ),
          (
            "on another machine: all of it",
            "certify --replay certificate.intoto.json model"
          ),
          (
            "a random sample of it",
            "certify --replay certificate.intoto.json model --sample 20"
          )))

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    help: ArgumentHelp(
      "A result of verify -o, measured on this model; may be repeated.", valueName: "result"),
    completion: .file(extensions: ["json"]))
  var result: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      A claim, in quotes, as a gate of verify; may be repeated or separated by commas. Default: the gates \
      of the results.
      """,
      valueName: "gate"))
  var require: [String] = []

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Where to write the certificate; default: certificate.intoto.json next to the model.",
      valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Leave the model card alone.")
  var noCard = false

  @Option(
    help: ArgumentHelp(
      "Repeat what this certificate says, and check it.", valueName: "certificate"),
    completion: .file(extensions: ["json"]))
  var replay: String?

  @Option(
    help: ArgumentHelp(
      "Repeat only this many pieces of each result, such as single prompts, chosen at random.",
      valueName: "count"))
  var sample: Int?

  @Option(help: "The seed of that choice; default: a random one, which is named.")
  var sampleSeed: UInt64?

  @Option(
    help: ArgumentHelp(
      "A text or a file of questions that is not where it was; may be repeated.",
      valueName: "file"),
    completion: .file())
  var input: [String] = []

  @Option(
    help: ArgumentHelp(
      "End the replay after this time, such as 90s, 30m or 2h, without a verdict.",
      valueName: "time"))
  var timeBudget: Period?

  @OptionGroup(title: "Work") var work: WorkOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if output == "" { throw ValidationError("-o needs a name") }
    _ = try listed(require).map(gate)
    let replaying: [(String, Bool)] = [
      ("--sample", sample != nil), ("--sample-seed", sampleSeed != nil),
      ("--input", !input.isEmpty), ("--time-budget", timeBudget != nil),
    ]
    let certifying: [(String, Bool)] = [
      ("--result", !result.isEmpty), ("--require", !require.isEmpty), ("-o", output != nil),
      ("--no-card", noCard),
    ]
    if replay == nil {
      if let other = replaying.first(where: \.1) {
        throw ValidationError("\(other.0) needs --replay")
      }
      if result.isEmpty {
        throw ValidationError("--result is missing, a result of verify -o; or --replay")
      }
    } else if let other = certifying.first(where: \.1) {
      throw ValidationError("\(other.0) and --replay exclude each other")
    }
    if sampleSeed != nil, sample == nil { throw ValidationError("--sample-seed needs --sample") }
    if let sample, !(1...1_000_000).contains(sample) {
      throw ValidationError("--sample takes a number from 1 to 1000000")
    }
  }

  func run() throws {
    try Ranks.requireAlone("certify")
    if let replay { try check(replay) } else { try certify() }
  }

  // MARK: Certifying

  private func certify() throws {
    let session = try common.open(model, exclusive: !noCard)
    let path = try output ?? CertificateFile.path(of: session)
    try CertificateFile.requireReplaceable(path)
    let gates = try listed(require).map(gate)
    let results = try result.map { name in
      (name: name, document: try ResultDocument(path: name, judgingBy: gates))
    }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress)
    let manifest = try ModelManifest(session, .runtime) {
      progress.show($0, "SHA-256 of the model's files")
    }
    progress.end()
    let certificate = try Certificate(of: manifest, results)
    let failed = certificate.claims.filter { !$0.passes }
    guard failed.isEmpty else {
      if common.json { Output.json(document(certificate, path: nil, card: nil)) }
      throw CheckFailed(
        message: failed.map { "\($0.gate.text): does not hold, \($0.worstText)" }
          .joined(separator: "; ") + "; nothing was written")
    }
    let card = try noCard ? nil : updatedCard(session)
    if let card, card.isChanged {
      for remark in Signatures.remarks(beside: session, .card) { common.note("\(remark)") }
      try card.write()
    }
    try CertificateFile.write(certificate, to: path)
    if common.json { return Output.json(document(certificate, path: path, card: card?.path)) }
    guard !common.quiet else { return }
    let claims = certificate.claims.map(\.gate.text).joined(separator: ", ")
    Output.result("\(path): certifies \(claims) for \(manifest.files.count) files")
    if let card {
      Output.result("\(card.path): \(card.isChanged ? "updated" : "says this already")")
    }
  }

  private func updatedCard(_ session: borrowing ModelSession) throws -> CardFile {
    var options = CardFile.Options()
    options.results = result
    return try CardFile(of: session, options)
  }

  private func document(_ certificate: Certificate, path: String?, card: String?) -> JSONValue {
    .object([
      "schema": DocumentSchema.certify.json, "model": .string(model),
      "certificate": path.map { .string($0) } ?? .null, "card": card.map { .string($0) } ?? .null,
      "files": .number(certificate.files.count), "claims": .array(certificate.claims.map(\.json)),
    ])
  }

  // MARK: Replaying

  private func check(_ path: String) throws {
    let certificate = try Certificate(path: path)
    var options = CertificateReplay.Options(threads: work.threadCount)
    options.inputs = input
    options.sample = sample
    options.sampleSeed = sampleSeed ?? UInt64.random(in: 0..<1 << 32)
    options.timeBudget = timeBudget?.duration
    let replay = CertificateReplay(certificate, path: path, options)
    let session = try common.open(model)
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress)
    let (reasons, inputs) = try replay.check(session) {
      progress.show($0, "SHA-256 of the model's files")
    }
    progress.end()
    guard reasons.isEmpty else {
      var outcome = CertificateReplay.Outcome()
      outcome.reasons = reasons
      return try report(outcome, certificate, options)
    }
    Interruption.letCommandEnd()
    let outcome = try replay.run(model, inputs: inputs, environment: .process) {
      progress.show($0, $1)
    }
    progress.end()
    for note in outcome.notes { common.note(note) }
    try report(outcome, certificate, options)
  }

  private func report(
    _ outcome: CertificateReplay.Outcome, _ certificate: Certificate,
    _ options: CertificateReplay.Options
  ) throws {
    if common.json {
      Output.json(document(outcome, options))
    } else {
      for line in lines(outcome, certificate, options) { Output.result(line) }
    }
    if outcome.stop == .interrupted { throw Interrupted() }
    if !outcome.holds { throw CheckFailed() }
  }

  private func lines(
    _ outcome: CertificateReplay.Outcome, _ certificate: Certificate,
    _ options: CertificateReplay.Options
  ) -> [String] {
    let tolerances = outcome.tolerances.map(\.text)
    if outcome.stop != nil { return ["the replay ended early, without a verdict"] }
    guard outcome.reasons.isEmpty else {
      return ["the certificate does not hold:"] + outcome.reasons.map { "  \($0)" } + tolerances
    }
    let claims = certificate.claims.map(\.gate.text).joined(separator: ", ")
    let part = options.sample.map {
      "a sample of \($0) pieces of each result agrees, chosen with --sample-seed \(options.sampleSeed)"
    }
    return [
      "\(part ?? "the certificate holds: \(claims)"); \(outcome.compared) numbers measured again"
    ] + tolerances
  }

  private func document(
    _ outcome: CertificateReplay.Outcome, _ options: CertificateReplay.Options
  ) -> JSONValue {
    .object([
      "schema": DocumentSchema.replay.json, "model": .string(model),
      "certificate": .string(replay ?? ""), "holds": .bool(outcome.holds),
      "complete": .bool(outcome.stop == nil),
      "sample": options.sample.map { .number($0) } ?? .null,
      "sample_seed": options.sample.map { _ in .number(String(options.sampleSeed)) } ?? .null,
      "reasons": .array(outcome.reasons.map { .string($0) }),
      "notes": .array(outcome.notes.map { .string($0) }), "compared": .number(outcome.compared),
      "claims": .array(outcome.verdicts.map(\.json)),
      "tolerances": .array(outcome.tolerances.map(\.json)),
    ])
  }
}
