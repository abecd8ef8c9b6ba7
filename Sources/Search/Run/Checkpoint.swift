import Formats
import Foundation
import Models
import Patch
import Verify

/// Everything that a run needs to resume: its settings, its state, and hashes of the model and
/// texts.
public struct Checkpoint: Codable, Sendable {
  /// The name and version of the format.
  public static let schema = DocumentSchema.checkpoint.rawValue

  /// A text under its path, with its SHA-256.
  public struct Text: Codable, Equatable, Sendable {
    /// The path that was given.
    public var path: String
    /// The SHA-256 of the text, in hexadecimal.
    public var sha256: String

    /// Creates an entry for a text.
    public init(path: String, sha256: String) {
      self.path = path
      self.sha256 = sha256
    }
  }

  /// The format of this checkpoint, which reading compares with `Checkpoint.schema`.
  public var schema = Checkpoint.schema
  /// The settings of the algorithm.
  public var settings: SearchSettings
  /// The space that is searched.
  public var space: SearchSpace
  /// What is minimised.
  public var fitness: FitnessSettings
  /// The texts that documents are taken from.
  public var texts: [Text]
  /// L0: the model's window before any extension, in tokens.
  public var originalWindow: Int
  /// The short factors of a model that is extended already.
  public var short: [Double]?
  /// The name of the rule for the attention scale.
  public var mscale: String
  /// The set into which the result is put as a table, in canonical JSON; nil if the result is a set
  /// of its own.
  public var onto: String?
  /// The SHA-256 of all units that are evaluated.
  public var unitsSHA256: String
  /// The identity of the model.
  public var model: ModelIdentity
  /// The name of a `Precision`.
  public var precision: String
  /// The state of the search; nil before its first generation.
  public var state: SearchLoop.State?

  /// Creates a checkpoint of a search that has not begun.
  public init(
    settings: SearchSettings, space: SearchSpace, fitness: FitnessSettings, texts: [Text],
    originalWindow: Int,
    short: [Double]?, mscale: String, onto: String?, unitsSHA256: String, model: ModelIdentity,
    precision: String
  ) {
    self.settings = settings
    self.space = space
    self.fitness = fitness
    self.texts = texts
    self.originalWindow = originalWindow
    self.short = short
    self.mscale = mscale
    self.onto = onto
    self.unitsSHA256 = unitsSHA256
    self.model = model
    self.precision = precision
  }

  /// Reads a checkpoint.
  /// - Throws: `ModelError` for a file that is not a checkpoint of this version; `FileError`.
  public init(path: String) throws {
    let all = try FileSystem.contents(of: path, limit: 1 << 30)
    // The file is the JSON text and, on a line of its own, its SHA-256.
    guard all.last == 0x0A, let end = all.dropLast().lastIndex(of: 0x0A) else {
      throw ModelError.unsupported(path, "not a complete checkpoint of a search")
    }
    let bytes = Array(all[..<end])
    guard Formats.sha256(bytes) == String(decoding: all[(end + 1)...].dropLast(), as: UTF8.self)
    else {
      throw ModelError.unsupported(path, "not a checkpoint of a search, or a damaged one")
    }
    do { self = try JSONDecoder().decode(Checkpoint.self, from: Data(bytes)) } catch {
      throw ModelError.unsupported(path, "not a checkpoint of a search: \(Self.reason(error))")
    }
    guard schema == Self.schema else {
      throw ModelError.unsupported(
        path, "the schema is '\(schema.sanitized)': expected '\(Self.schema)'")
    }
    try check(path)
  }

  private static func reason(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type"
    default: "the JSON is damaged"
    }
  }

  /// Refuses values that would make the program fail later.
  private func check(_ path: String) throws {
    let evolution = settings.evolution
    let counts = [evolution.population, evolution.parents, evolution.mutants, evolution.crossovers]
    let isSound =
      (1...100_000).contains(space.pairs) && space.base.count == space.pairs && space.step > 0
      && space.lower > 0 && space.upper >= space.lower && !space.startTokens.isEmpty
      && counts.allSatisfy { (0...10_000).contains($0) }
      && (0...100_000).contains(evolution.iterations)
      && (0...100_000).contains(fitness.needles) && (0...100_000).contains(fitness.documents)
      && (1...1_000_000).contains(fitness.stride) && fitness.parts <= 1_000_000
      && space.step >= 1e-6
      && space.upper <= 1e6 && evolution.population > 0 && evolution.parents > 0
      && (4...1 << 40).contains(fitness.length) && fitness.parts > 0
      && (1...fitness.parts).contains(fitness.part)
      && settings.initial.allSatisfy { $0.factors.count == space.pairs }
      && settings.criticalPair.map { (1..<space.pairs).contains($0) } ?? true
      && settings.generationSize.map { (2...1_000_000).contains($0) } ?? true
      && state.map { $0.isSound(pairs: space.pairs) } ?? true
    guard isSound else {
      throw ModelError.unsupported(
        path, "the checkpoint is damaged: its numbers contradict each other")
    }
  }

  /// Writes the checkpoint, in place of an earlier one.
  /// - Throws: `FileError`.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = Array(try encoder.encode(self))
    try OutputFile.replace(path, by: text + [0x0A] + Array(Formats.sha256(text).utf8) + [0x0A])
  }
}
