import Testing

@testable import Release

/// Numbers are shown as exactly as their errors allow.
@Suite("Rounded numbers") struct RoundedNumberTests {
  @Test func aNumberHasTwoDigitsOfItsError() {
    #expect(17.4831.text(error: 0.5872) == "17.48 ± 0.59")
    #expect(119.83.text(error: 2.81) == "119.8 ± 2.8")
    #expect(1524.0.text(error: 33.2) == "1524 ± 33")
    #expect(0.06612.text(error: 0.00123) == "0.0661 ± 0.0012")
    #expect(1.0.text(error: 0) == "1" && 36.5.text(error: nil) == "36.5")
  }

  @Test func aShareHasTheErrorOfItsTrials() {
    #expect(0.209.percent(of: 16384) == "20.90 ± 0.32 %")
    #expect(1.0.percent(of: 10) == "100 %" && 0.0.percent(of: 10) == "0 %")
  }
}
