import Formats
import Patch
import TestSupport
import Testing

@Suite("LongRoPE mathematics") struct LongRoPETests {
  /// Values computed by transformers itself; fixtures/make/make_golden_longrope.py writes them.
  @Test func readsConfigsAsTransformersComputesThem() throws {
    let golden = try JSONDocument(path: Fixture.path("golden/longrope.json")).value
    let cases = try #require(golden["cases"]?.elements)
    #expect(cases.count >= 10)
    for item in cases {
      let name = item["name"]?.text ?? "?"
      let folder = try TemporaryDirectory()
      var config = try #require(item["config"]?.members)
      config.append(JSONMember("model_type", try #require(item["model_type"])))
      try folder.write("config.json", JSONStyle.standard.encode(.object(config)))
      let inspection = try Inspection(ModelSession(path: folder.path, exclusive: false))
      let reading = try #require(inspection.readings.first { $0.name == "hf" })
      for (table, used) in [("short", reading.short), ("long", reading.long)] {
        let expected = try #require(item[table]?["inverse_frequencies"]?.doubles)
        let found = try #require(used?.inverseFrequencies, "\(name): \(reading.notes)")
        #expect(found.count == expected.count)
        let isClose = zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-6 * $1 }
        #expect(isClose, "\(name) \(table)")
        let attention = try #require(item[table]?["attention_factor"]?.double)
        #expect(abs((used?.mscale ?? 0) - attention) <= 1e-9, "\(name) \(table)")
      }
    }
  }

  /// LongRoPE2, section 2.2, and the published windows.
  @Test(arguments: [
    (96, 10_000.0, 2048, 31, 19), (128, 500_000.0, 8192, 35, 24), (96, 10_000.0, 4096, 34, 22),
    (128, 10_000.0, 4096, 46, 30), (32, 10_000.0, 256, 7, 3),
  ])
  func findsTheCriticalPairs(
    _ dimensions: Int, _ theta: Double, _ window: Int, _ critical: Int, _ ten: Int
  ) {
    let found = LongRoPE.theoreticalCriticalPair(
      theta: theta, rotaryDimensions: dimensions, originalWindow: window)
    #expect(found == critical)
    let start = LongRoPE.tenPeriodsPair(
      theta: theta, rotaryDimensions: dimensions, originalWindow: window)
    #expect(start == ten)
  }

  @Test func derivesThePublishedAttentionScales() {
    #expect(abs(LongRoPE.longRoPEMscale(scale: 16, originalWindow: 8192) - 1.1435437) < 1e-6)
    #expect(abs(LongRoPE.longRoPEMscale(scale: 32, originalWindow: 4096) - 1.1902381) < 1e-6)
    #expect(LongRoPE.longRoPEMscale(scale: 1, originalWindow: 4096) == 1)
    #expect(abs(LongRoPE.yarnMscale(scale: 32) - 1.3465736) < 1e-6)
  }
}
