extension TaskGrid {
  /// One of several parts of a grid, which different machines can measure.
  public struct Shard: Equatable, Sendable, CustomStringConvertible {
    /// The number of this part, from 1 to `count`.
    public let number: Int
    /// The number of parts.
    public let count: Int

    /// Reads `2/8`, the second of eight parts.
    ///
    /// Returns nil for other text.
    public init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let number = parts[0], let count = parts[1], 1 <= number,
        number <= count
      else { return nil }
      self.number = number
      self.count = count
    }

    fileprivate init(_ ranks: Ranks) { (number, count) = (ranks.rank + 1, ranks.count) }

    /// The form that `init(_:)` reads.
    public var description: String { "\(number)/\(count)" }

    /// Every `count`th element.
    func part<Element>(of whole: [Element]) -> [Element] {
      whole.enumerated().filter { $0.offset % count == number - 1 }.map(\.element)
    }
  }

  /// Leaves this process its part of a grid that several processes measure.
  mutating func divide(among ranks: Ranks) {
    if !ranks.isAlone { shard = Shard(ranks) }
  }

  /// The steps of this part of the grid, or of a sample of it.
  func ownSteps(_ originalWindow: Int) -> [Step] {
    let all = steps(originalWindow)
    let part = shard?.part(of: all) ?? all
    return sample?.chosen(from: part) ?? part
  }
}
