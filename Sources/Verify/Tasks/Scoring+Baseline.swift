import Inference

extension Scoring {
  /// The policy of a baseline that a model's policy is compared with: the one of the same name, or
  /// the first.
  func policy(like other: RopePolicy) -> RopePolicy? {
    policies.first { $0.name == other.name } ?? policies.first
  }
}
