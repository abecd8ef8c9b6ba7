/// A length in tokens as people write it: `4096`, `4k`, `128k`, `1M`, with k = 1024.
public enum TokenLength {
  /// The number of tokens, at most 2^40; nil for other text.
  ///
  /// No machine holds more, and the products of such a number with a model's sizes do not overflow.
  public static func parse(_ text: String) -> Int? {
    let units: [Character: Int] = ["k": 1 << 10, "K": 1 << 10, "m": 1 << 20, "M": 1 << 20]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard digits.allSatisfy(\.isNumber), let number = Int(digits), number > 0 else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
    guard !overflow, product <= 1 << 40 else { return nil }
    return product
  }
}
