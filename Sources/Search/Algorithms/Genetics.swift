/// The operators that make an evolution's candidates.
protocol Genetics: Codable, Sendable {
  /// The first population.
  func initial(_ count: Int, _ random: inout SearchRandom, isNew: (Candidate) -> Bool)
    -> [Candidate]
  /// A changed copy that `isNew` accepts.
  func mutant(of parent: Candidate, _ random: inout SearchRandom, isNew: (Candidate) -> Bool)
    -> Candidate
  /// A copy of `first` with parts of `second`, or nil if none of the tries was new.
  func crossover(
    _ first: Candidate, _ second: Candidate, tries: Int, _ random: inout SearchRandom,
    isNew: (Candidate) -> Bool
  ) -> Candidate?
}
