import Inference
import Models
import Numerics
import Patch

/// A model that others are compared with, ready to run.
struct OpenBaseline: Sendable {
  let path: String
  let scoring: Scoring
  /// Its window, in tokens.
  let window: Int
  /// What is kept of it if several models are compared with it.
  private(set) var states: BaselineStates?

  init(path: String, scoring: Scoring, window: Int) {
    self.path = path
    self.scoring = scoring
    self.window = window
  }

  /// Opens a model to be followed as all runtimes that run it.
  /// - Parameter cache: the types in which it keeps keys and values.
  init(_ path: String, _ cache: CacheTypes, _ opener: ModelOpener) throws {
    let session = try ModelSession(path: path, exclusive: false)
    let followed = FollowedRuntimes(all: try Inspection(session))
    try followed.requirePolicies(path)
    self.init(
      path: path, scoring: Scoring(try opener.forward(path, cache), followed.policies),
      window: followed.inspection.geometry.window)
  }

  /// Opens the model of some options, to be compared with several models.
  init(_ options: VerifyOptions, _ opener: ModelOpener, states: BaselineStates) throws {
    let session = try ModelSession(path: options.model, exclusive: false)
    let followed = try FollowedRuntimes(options, session)
    self.init(
      path: options.model,
      scoring: Scoring(try opener.forward(options.model, options.cache), followed.policies),
      window: followed.inspection.geometry.window)
    self.states = states
  }

  /// - Throws: `ModelError` if the model has another number of tokens in its vocabulary.
  func requireVocabulary(of model: Transformer) throws(ModelError) {
    let (own, its) = (model.vocabulary, scoring.forward.model.vocabulary)
    guard own == its else {
      throw .unsupported(path, "its vocabulary has \(its) tokens, that of \(model.path) \(own)")
    }
  }
}
