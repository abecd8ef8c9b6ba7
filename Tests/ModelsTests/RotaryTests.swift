import Formats
import Foundation
import Models
import TestSupport
import Testing

/// Frequencies and their classic scalings, against their formulas. (Golden values by the runtimes
/// are those of ScalingTests.)
@Suite("Rotary frequencies") struct RotaryTests {
  @Test func factorsDivideFrequencies() {
    let plain = RotaryFrequencies.inverse(theta: 10_000, rotaryDimensions: 8)
    #expect(zip(plain, [1, 0.1, 0.01, 0.001]).allSatisfy { abs($0 - $1) < 1e-15 })
    let factors = [1.0, 2, 4, 8]
    let scaled = RotaryFrequencies.inverse(theta: 10_000, rotaryDimensions: 8, factors: factors)
    for pair in 0..<4 { #expect(abs(scaled[pair] * factors[pair] - plain[pair]) < 1e-15) }
    #expect(abs(RotaryFrequencies.period(inverseFrequency: 0.1) - 62.83185307179586) < 1e-12)
  }

  /// Both ends of the ramp: fast pairs keep their frequency, slow ones are divided by s.
  @Test func yarnInterpolatesOnlySlowPairs() {
    let yarn = YaRN(factor: 4, originalWindow: 4096)
    let plain = RotaryFrequencies.inverse(theta: 10_000, rotaryDimensions: 128)
    let ratios = zip(plain, yarn.inverse(theta: 10_000, rotaryDimensions: 128)).map { $0 / $1 }
    let (low, high) = yarn.rampBounds(theta: 10_000, rotaryDimensions: 128)
    // Pairs that turn 32 times and once within 4096 tokens: 64 ln(4096 / 2 pi b) / ln 10000.
    #expect(low == 20 && high == 46)
    for (pair, ratio) in ratios.enumerated() {
      if Double(pair) <= low { #expect(abs(ratio - 1) < 1e-12) }
      if Double(pair) >= high { #expect(abs(ratio - 4) < 1e-12) }
      if pair > 0 { #expect(ratio >= ratios[pair - 1] - 1e-12) }
    }
    #expect(abs(YaRN.mscale(scale: 4) - (0.1 * log(4) + 1)) < 1e-15)
    #expect(YaRN.mscale(scale: 0.5) == 1)
  }

  /// The base grows with the input; within the window nothing changes.
  @Test func dynamicScalingBeginsBeyondTheWindow() {
    let scaling = DynamicNTK(factor: 2, window: 2048, theta: 10_000, rotaryDimensions: 64)
    #expect(scaling.theta(length: 100) == 10_000 && scaling.theta(length: 2048) == 10_000)
    // 2 * 4096 / 2048 - 1 = 3
    #expect(abs(scaling.theta(length: 4096) - 10_000 * pow(3, 64.0 / 62)) < 1e-6)
  }

  @Test(arguments: ["[1, 0]", "[1, 1, 1, 1, 2]", "[true, 0, 1, 1]"])
  func listsOfRotaryLayersMustFit(_ list: String) throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    try folder.set("no_rope_layers", JSONDocument(parsing: Array(list.utf8)).value)
    let model = try ModelFile(path: folder.write(to: place))
    #expect {
      _ = try model.rotaryLayers(count: 4, interval: 4)
    } throws: {
      "\($0)".contains("'no_rope_layers' is not a list of 4 numbers, each 0 or 1")
    }
  }

  @Test func everyFourthLayerIsWithoutRotationUnlessTheConfigSaysMore() throws {
    let place = try TemporaryDirectory()
    var folder = try NeedleFolder()
    let plain = try ModelFile(path: folder.write(to: place))
    #expect(
      try plain.rotaryLayers(count: 8, interval: 4)
        == [true, true, true, false, true, true, true, false])
    try folder.set("no_rope_layer_interval", .number(2))
    let other = try ModelFile(path: folder.write(to: place, as: "other"))
    #expect(try other.rotaryLayers(count: 3, interval: 4) == [true, false, true])
  }
}
