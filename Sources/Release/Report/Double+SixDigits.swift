extension Double {
  /// The number with up to six significant digits, as people read it.
  package var sixDigits: String {
    if self == rounded(), abs(self) < 1e15 { return String(Int(self)) }
    var scale = 1.0
    while magnitude * scale < 100_000, scale < 1e15 { scale *= 10 }
    return "\((self * scale).rounded() / scale)"
  }

  /// The number with as many digits as its error leaves meaning: two digits of the error.
  package func rounded(toError error: Double) -> String {
    guard error > 0, error.isFinite, isFinite else { return sixDigits }
    var (scale, digits) = (1.0, 0)
    while error * scale < 9.95, digits < 6 { (scale, digits) = (scale * 10, digits + 1) }
    let value = (self * scale).rounded() / scale
    guard digits > 0 else { return value.sixDigits }
    let text = "\(value)"
    let fraction = text.split(separator: ".").last.map(String.init) ?? ""
    guard !text.contains("e"), text.contains(".") else { return text }
    return text + String(repeating: "0", count: max(0, digits - fraction.count))
  }
}
