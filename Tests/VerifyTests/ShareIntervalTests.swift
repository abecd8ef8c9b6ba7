import Formats
import Testing

@testable import Verify

/// Wilson's interval, and names that are near others.
@Suite("Intervals and near names") struct ShareIntervalTests {
  /// Values of scipy's `binomtest(k, n).proportion_ci(method="wilson")`.
  @Test(arguments: [
    (0, 9, 0, 0.29915), (9, 9, 0.70085, 1), (2, 6, 0.09677, 0.70001), (5, 10, 0.23659, 0.76341),
  ])
  func wilsonsInterval(_ successes: Int, _ trials: Int, _ low: Double, _ high: Double) {
    let interval = ShareInterval(successes: successes, trials: trials).interval
    #expect(abs(interval.lowerBound - low) < 1e-4 && abs(interval.upperBound - high) < 1e-4)
  }

  @Test func nearNames() {
    let names = ["apply", "inspect", "lint", "passkey", "perplexity"]
    #expect(names.nearest(to: "aply") == "apply" && names.nearest(to: "lnit") == "lint")
    #expect(names.nearest(to: "PASSKYE") == "passkey" && names.nearest(to: "perp") == "perplexity")
    #expect(names.nearest(to: "frobnicate") == nil && names.nearest(to: "p") == nil)
  }
}
