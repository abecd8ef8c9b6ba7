extension Double {
  /// The number with up to six significant digits, as people read it.
  package var sixDigits: String {
    if self == rounded(), abs(self) < 1e15 { return String(Int(self)) }
    var scale = 1.0
    while magnitude * scale < 100_000, scale < 1e15 { scale *= 10 }
    return "\((self * scale).rounded() / scale)"
  }
}
