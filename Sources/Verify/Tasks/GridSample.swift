/// A random part of a grid, to check a result at less cost.
package struct GridSample: Equatable, Sendable {
  /// The number of pieces of work, such as single prompts, texts, or blocks of questions.
  package var count: Int
  /// The seed of the choice.
  package var seed: UInt64

  package init(count: Int, seed: UInt64) {
    self.count = count
    self.seed = seed
  }

  /// Some elements in their order; all if there are not more.
  func chosen<Element>(from all: [Element]) -> [Element] {
    guard all.count > count else { return all }
    var state = seed
    // A partial shuffle.
    var places = Array(all.indices)
    for index in 0..<count {
      let other = index + Int(Self.next(&state) % UInt64(places.count - index))
      places.swapAt(index, other)
    }
    return places[..<count].sorted().map { all[$0] }
  }

  /// SplitMix64.
  private static func next(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
