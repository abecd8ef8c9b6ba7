import Formats
import Foundation
import Patch
import Verify

/// What the comparisons with other programs ask of the library beyond the command line: `lrpatch-probe COMMAND MODEL`,
/// a JSON document on stdin, one on stdout.
@main struct Probe {
  struct Question: Decodable {
    var runtime: String?
    var precision: String?
    var threads: Int?
    var factors: String?
    /// scores, generate: token ids.
    var sequences: [[Int]]?
    /// scores: how many tokens of each sequence were given at once; all where absent.
    var prompts: [Int]?
    var count: Int?
    /// tokenize
    var texts: [String]?
    /// passkeys
    var lengths: [Int]?
    var depths: [Double]?
    var seed: UInt64?
  }

  struct Prompt: Encodable {
    var length: Int
    var depth: Double
    var key: Int
    var prompt: Int
    var tokens: [Int]
  }

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { fatalError("usage: lrpatch-probe scores|generate|tokenize|decode|passkeys MODEL") }
    let question = try JSONDecoder().decode(Question.self, from: FileHandle.standardInput.readDataToEndOfFile())
    let path = arguments[2]
    switch arguments[1] {
    case "scores": try answer(scores(path, question))
    case "generate": try answer(generate(path, question))
    case "tokenize": try answer(question.texts?.map(Tokenizer(path: path).encode) ?? [])
    case "decode": try answer(question.sequences?.map(Tokenizer(path: path).decode) ?? [])
    case "passkeys": try answer(passkeys(path, question))
    default: fatalError("no command '\(arguments[1])'")
    }
  }

  private static func answer(_ value: some Encodable) throws {
    try FileHandle.standardOutput.write(contentsOf: JSONEncoder().encode(value))
  }

  private static func forward(_ path: String, _ question: Question) throws -> ForwardPass {
    ForwardPass(
      try Transformer(path: path), threads: question.threads ?? ProcessInfo.processInfo.activeProcessorCount,
      precision: Precision(rawValue: question.precision ?? "exact") ?? .exact)
  }

  private static func follower(_ path: String, _ question: Question) throws -> Follower {
    let session = try ModelSession(path: path, exclusive: false)
    let inspection =
      try question.factors.map { try Inspection(session, overlaying: FactorSource(path: $0).set) } ?? Inspection(session)
    guard let reading = inspection.readings.first(where: { $0.name == question.runtime ?? "paper" }) else {
      fatalError("no runtime '\(question.runtime ?? "")'")
    }
    return try Follower(reading)
  }

  /// The log-probability of every token but the first.
  private static func scores(_ path: String, _ question: Question) throws -> [[Double]] {
    let scoring = Scoring(try forward(path, question), [try follower(path, question)])
    let sequences = (question.sequences ?? []).enumerated().map { index, tokens in
      Scoring.Sequence(
        tokens: tokens, prompt: question.prompts?[index] ?? tokens.count, scored: Array(1..<tokens.count))
    }
    var result: [[Double]] = []
    try scoring.run(sequences) { _, _, scores in result.append(scores.map(\.logProbability)) }
    return result
  }

  private static func generate(_ path: String, _ question: Question) throws -> [[Int]] {
    let generator = Generator(try forward(path, question), try follower(path, question))
    return try (question.sequences ?? []).map { try generator.generate($0, count: question.count ?? 10) }
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
}
