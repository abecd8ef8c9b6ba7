import Formats
import Foundation
import FuzzTargets
import Inference
import Models
import Numerics
import Patch
import TestSupport
import Verify

/// Gives comparisons with other programs access to more of the library than the command line:
/// `lrpatch-probe COMMAND MODEL` reads a JSON document from stdin and writes one to stdout.
@main struct Probe {
  struct Question: Decodable {
    var runtime: String?
    var precision: String?
    var threads: Int?
    var factors: String?
    /// scores, generate: token ids.
    var sequences: [[Int]]?
    /// scores: how many tokens of each sequence were given at once; if absent, all.
    var prompts: [Int]?
    var count: Int?
    /// The texts of `tokenize`.
    var texts: [String]?
    /// The lengths and depths of `passkeys`.
    var lengths: [Int]?
    var depths: [Double]?
    var seed: UInt64?
    /// The factors of `derivatives`, and their attention scale.
    var candidates: [[Double]]?
    var mscale: Double?
    /// Repetitions of `prefill`, or mutations of each input of `inputs`.
    var repeats: Int?
    /// The files of `reads`, each .gguf or .safetensors.
    var paths: [String]?
  }

  struct Prefill: Encodable {
    /// The time of each repetition, after one that is not counted.
    var seconds: [Double]
    var peakKiB: Int
  }

  struct GradientTime: Encodable {
    /// The time of a loss and of its derivatives, in pairs.
    var loss: [Double]
    var gradient: [Double]
    var peakKiB: Int
    var expectedBytes: Int
  }

  struct Derivatives: Encodable {
    var loss: Double
    /// By the logarithm of each factor.
    var logFactors: [Double]
    /// By the logarithm of the attention scale.
    var logMscale: Double
  }

  struct Accuracy: Encodable {
    var perplexityRatio: Double
    var divergence: Double
    var agreement: Double
  }

  struct Prompt: Encodable {
    var length: Int
    var depth: Double
    var key: Int
    var prompt: Int
    var tokens: [Int]
  }

  struct Complaint: Error { var message: String }

  static func main() {
    do { try run(CommandLine.arguments) } catch {
      FileHandle.standardError.write(Data("lrpatch-probe: \(error)\n".utf8))
      exit(2)
    }
  }

  private static func run(_ arguments: [String]) throws {
    guard arguments.count == 3 else {
      throw Complaint(
        message:
          "usage: lrpatch-probe scores|generate|tokenize|decode|passkeys|prefill|gradient|derivatives|accuracy MODEL, or reads -, or inputs FOLDER"
      )
    }
    let question = try JSONDecoder().decode(
      Question.self, from: FileHandle.standardInput.readDataToEndOfFile())
    let path = arguments[2]
    switch arguments[1] {
    case "scores": try answer(scores(path, question))
    case "generate": try answer(generate(path, question))
    case "tokenize": try answer(question.texts?.map(Tokenizer(path: path).encode) ?? [])
    case "decode": try answer(question.sequences?.map(Tokenizer(path: path).decode) ?? [])
    case "prefill": try answer(prefill(path, question))
    case "gradient": try answer(gradient(path, question))
    case "derivatives": try answer(derivatives(path, question))
    case "accuracy": try answer(accuracy(path, question))
    case "passkeys": try answer(passkeys(path, question))
    case "reads": try answer((question.paths ?? []).map(refusal))
    case "inputs": try writeInputs(path, question)
    default: throw Complaint(message: "no command '\(arguments[1])'")
    }
  }

  private static func answer(_ value: some Encodable) throws {
    try FileHandle.standardOutput.write(contentsOf: JSONEncoder().encode(value))
  }

  /// Why a file is refused by itself, or an empty text.
  private static func refusal(_ path: String) -> String {
    do {
      if path.hasSuffix(".gguf") {
        _ = try GGUFFile(path: path)
      } else {
        _ = try SafetensorsFile(path: path)
      }
      return ""
    } catch { return "\(error)" }
  }

  /// Writes what fuzzing begins from, and mutations of each, as files.
  private static func writeInputs(_ folder: String, _ question: Question) throws {
    var random = Seeded(question.seed ?? 0)
    var mutator = FuzzMutator()
    for (target, ending) in [(FuzzTarget.gguf, "gguf"), (.safetensors, "safetensors")] {
      for (index, input) in try FuzzCorpus.inputs(of: target).enumerated() {
        for number in 0...(question.repeats ?? 0) {
          let bytes =
            number == 0
            ? input : mutator.mutated(input, for: target, limit: 1 << 16, seed: random.next())
          let path = "\(folder)/\(target.rawValue)-\(index)-\(number).\(ending)"
          try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
      }
    }
  }

  private static func forward(_ path: String, _ question: Question) throws -> ForwardPass {
    ForwardPass(
      try Transformer(path: path),
      threads: question.threads ?? ProcessInfo.processInfo.activeProcessorCount,
      precision: Precision(rawValue: question.precision ?? "exact") ?? .exact)
  }

  private static func policy(_ path: String, _ question: Question) throws -> RopePolicy {
    let session = try ModelSession(path: path, exclusive: false)
    let inspection =
      try question.factors.map { try Inspection(session, overlaying: FactorSource(path: $0).set) }
      ?? Inspection(session)
    guard let reading = inspection.readings.first(where: { $0.name == question.runtime ?? "paper" })
    else {
      throw Complaint(message: "no runtime '\(question.runtime ?? "")'")
    }
    return try RopePolicy(reading)
  }

  /// The log-probability of every token but the first.
  private static func scores(_ path: String, _ question: Question) throws -> [[Double]] {
    let scoring = Scoring(try forward(path, question), [try policy(path, question)])
    let sequences = (question.sequences ?? []).enumerated().map { index, tokens in
      Scoring.Sequence(
        tokens: tokens, prompt: question.prompts?[index] ?? tokens.count,
        scored: Array(1..<tokens.count))
    }
    var result: [[Double]] = []
    try scoring.run(sequences) { _, _, scores in result.append(scores.map(\.logProbability)) }
    return result
  }

  private static func generate(_ path: String, _ question: Question) throws -> [[Int]] {
    let generator = Generator(try forward(path, question), try policy(path, question))
    return try (question.sequences ?? []).map {
      try generator.generate($0, count: question.count ?? 10)
    }
  }

  private static func passkeys(_ path: String, _ question: Question) throws -> [Prompt] {
    let passkey = Passkey(try Tokenizer(path: path))
    return try (question.lengths ?? []).flatMap { length in
      try (question.depths ?? []).map { depth in
        let cell = Passkey.Cell(length: length, depth: depth, sample: 0)
        let (tokens, prompt, key) = try passkey.prompt(cell, seed: question.seed ?? 0)
        return Prompt(length: length, depth: depth, key: key, prompt: prompt, tokens: tokens)
      }
    }
  }

  /// Meaningless tokens, the same in every run.
  private static func tokens(_ count: Int, below vocabulary: Int) -> [Int] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % vocabulary
    }
  }

  /// Times a prefill that computes only the last token's logits.
  private static func prefill(_ path: String, _ question: Question) throws -> Prefill {
    let forward = try forward(path, question)
    let count = question.count ?? 512
    let tokens = tokens(count, below: forward.model.vocabulary)
    let scoring = Scoring(forward, [try policy(path, question)])
    let sequence = Scoring.Sequence(tokens: tokens + [0], prompt: count, scored: [count])
    let seconds = try (0...(question.repeats ?? 3)).map { _ in
      try time { try scoring.run([sequence]) { _, _, _ in } }
    }
    return Prefill(seconds: Array(seconds.dropFirst()), peakKiB: try peakKiB())
  }

  /// Times the loss of a whole sequence, and its derivatives, in turn.
  private static func gradient(_ path: String, _ question: Question) throws -> GradientTime {
    let forward = try forward(path, question)
    let count = question.count ?? 512
    let tokens = question.sequences?[0] ?? tokens(count, below: forward.model.vocabulary)
    let policy = try policy(path, question)
    let scoring = Scoring(forward, [policy])
    let sequence = Scoring.Sequence(
      tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
    var result = GradientTime(
      loss: [], gradient: [], peakKiB: 0,
      expectedBytes: forward.gradientMemory(tokens: tokens.count))
    for _ in 0..<(question.repeats ?? 3) {
      result.loss.append(try time { try scoring.run([sequence]) { _, _, _ in } })
      result.gradient.append(try time { _ = try forward.gradient(sequence, policy) })
    }
    result.peakKiB = try peakKiB()
    return result
  }

  /// The loss of each sequence and its derivatives, for each list of factors.
  private static func derivatives(_ path: String, _ question: Question) throws -> [[Derivatives]] {
    let forward = try forward(path, question)
    let geometry = try ModelFile(path: path).geometry
    return try (question.candidates ?? []).map { factors in
      let policy = RopePolicy(
        trying: factors, startTokens: 0, mscale: question.mscale ?? 1, pairMscales: nil,
        geometry: geometry)
      return try (question.sequences ?? []).map { tokens in
        let sequence = Scoring.Sequence(
          tokens: tokens, prompt: tokens.count, scored: Array(1..<tokens.count))
        let gradient = try forward.gradient(sequence, policy)
        return Derivatives(
          loss: gradient.loss, logFactors: gradient.logFactors, logMscale: gradient.logMscale)
      }
    }
  }

  private static func time(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    let (seconds, attoseconds) = start.duration(to: .now).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  private static func peakKiB() throws -> Int {
    // getrusage would count the parent's memory at the fork.
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return peak.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }

  /// Compares `fast` with `exact`.
  private static func accuracy(_ path: String, _ question: Question) throws -> Accuracy {
    var exact = question
    exact.precision = "exact"
    var fast = question
    fast.precision = "fast"
    let policy = try policy(path, question)
    let model = try forward(path, exact)
    let count = question.count ?? 512
    let windows = question.repeats ?? 1
    let text =
      try question.texts?.flatMap(Tokenizer(path: path).encode)
      ?? tokens(count * windows, below: model.model.vocabulary)
    let measure = try Perplexity(
      text, length: count, method: .truncate, beginning: nil,
      maximumWindows: windows)
    var result = Accuracy(perplexityRatio: 0, divergence: 0, agreement: 0)
    try Retention(measure).run(
      Scoring(forward(path, fast), [policy]), baseline: Scoring(model, [policy])
    ) { found in
      result = Accuracy(
        perplexityRatio: found.ratio, divergence: found.divergence, agreement: found.agreement)
    }
    return result
  }
}
