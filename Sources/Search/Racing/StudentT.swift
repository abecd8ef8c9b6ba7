import Glibc

/// Student's t-distribution.
package enum StudentT {
  /// The probability that T exceeds t.
  package static func upperTail(_ t: Double, degrees: Double) -> Double {
    let x = degrees / (degrees + t * t)
    let tail = 0.5 * incompleteBeta(x, degrees / 2, 0.5)
    return t >= 0 ? tail : 1 - tail
  }

  /// The t with P(|T| <= t) = confidence, by bisection.
  package static func quantile(confidence: Double, degrees: Double) -> Double {
    var (low, high) = (0.0, 1e6)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if 2 * upperTail(middle, degrees: degrees) > 1 - confidence {
        low = middle
      } else {
        high = middle
      }
    }
    return (low + high) / 2
  }

  /// I_x(a, b) by its continued fraction (Abramowitz and Stegun, 26.5.8), with Lentz's method.
  private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast only below this bound.
    guard x < (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
    let logarithms: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
    let powers: Double = a * log(x) + b * log(1 - x)
    let front = exp(logarithms + powers) / a
    let tiny = 1e-300
    var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
    d = 1 / (abs(d) < tiny ? tiny : d)
    var value = d
    for step in 1...500 {
      let m = Double(step)
      let c0 = a + 2 * m
      let product: Double = m * (b - m)
      let even: Double = product * x / ((c0 - 1) * c0)
      let sum: Double = (a + m) * (a + b + m)
      let odd: Double = -sum * x / (c0 * (c0 + 1))
      for term in [even, odd] {
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        if abs(c) < tiny { c = tiny }
        value *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return front * value
  }
}
