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

  /// The first half, which leaves the second for a test.
  static let firstHalf = TextPart(number: 1, count: 2)

  private init(number: Int, count: Int) { (self.number, self.count) = (number, count) }

  /// The next part of as many; nil for the whole text.
  init?(otherThan number: Int, of count: Int) {
    guard count > 1 else { return nil }
    self.init(number: number % count + 1, count: count)
  }

  /// Whether both have some text in common.
  func overlaps(_ other: TextPart) -> Bool {
    (number - 1) * other.count < other.number * count
      && (other.number - 1) * count < number * other.count
  }
}
