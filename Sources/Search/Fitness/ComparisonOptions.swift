import Foundation
public import Numerics

/// What a comparison of factor sets runs, on which model, and how.
///
/// A new value has the defaults of `lrpatch factors compare`.
public struct ComparisonOptions: Sendable {
  /// The name that stands for the model without factors.
  public static let noFactors = "none"

  /// The path of a model folder or a GGUF file.
  public var model: String
  /// Paths of factors in any accepted form, or `noFactors`.
  ///
  /// Differences are to the first.
  public var sets: [String]
  /// The length of documents and needle prompts, in tokens.
  public var length: Int
  /// What is measured.
  public var fitness = FitnessKind.perplexity
  /// Paths of texts; empty for a book that comes with the library.
  public var texts: [String] = []
  /// The part of each text that is used.
  public var part = TextPart.whole
  /// Documents for perplexity.
  public var documents = 20
  /// Needle prompts, at evenly spread depths.
  public var needles = 200
  /// The wording of the needle prompts.
  public var needlePrompt = NeedlePrompt.paper
  /// The arithmetic of the forward pass.
  public var precision = Precision.exact
  /// The seed of the needles.
  public var seed: UInt64 = 0
  /// The number of threads.
  public var threads = ProcessInfo.processInfo.activeProcessorCount

  /// Creates options with the defaults of `lrpatch factors compare`.
  public init(model: String, sets: [String], length: Int) {
    self.model = model
    self.sets = sets
    self.length = length
  }
}
