/// A part of each text, such as the first half.
///
/// The others remain for a test on unseen data.
public struct TextPart: Equatable, Sendable, CustomStringConvertible {
  /// The number of this part, from 1 to `count`.
  public let number: Int
  /// The number of parts.
  public let count: Int

  /// The whole text: the first of one part.
  public static let whole = TextPart()

  private init() { (number, count) = (1, 1) }

  /// Reads `1/2`, the first of two parts.
  ///
  /// Returns nil for other text, and for more than a million parts.
  public init?(_ text: String) {
    let fields = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard fields.count == 2, let number = fields[0], let count = fields[1],
      count <= 1_000_000, number >= 1, number <= count
    else { return nil }
    (self.number, self.count) = (number, count)
  }

  /// The form that `init(_:)` reads.
  public var description: String { "\(number)/\(count)" }
}
