import Formats
import Patch
import TestSupport
import Testing

/// Scalings of rotary embeddings other than LongRoPE, as each runtime computes them.
@Suite("RoPE scalings") struct ScalingTests {
  /// Values computed by the runtimes; fixtures/make/make_golden_scalings.py writes them.
  @Test func readsEachScalingAsEachRuntimeComputesIt() throws {
    let golden = try JSONDocument(path: Fixture.path("golden/scalings.json")).value
    let cases = try #require(golden["cases"]?.elements)
    #expect(cases.count >= 19)
    for item in cases {
      let name = try #require(item["name"]?.text)
      let folder = try TemporaryDirectory()
      try folder.write("config.json", JSONStyle.standard.encode(try #require(item["config"])))
      let inspection = try Inspection(ModelSession(path: folder.path, exclusive: false))
      let runtimes = try #require(item["runtimes"]?.members)
      #expect(runtimes.map(\.name).sorted() == ["hf", "hf4", "mlx", "sglang", "vllm"])
      for runtime in runtimes {
        let reading = try #require(inspection.readings.first { $0.name == runtime.name })
        guard let tables = runtime.value.elements else {
          #expect(reading.status == .fails, "\(name) \(runtime.name): \(reading.notes)")
          continue
        }
        try check(reading, tables, "\(name) \(runtime.name)", inspection)
      }
    }
  }

  private func check(
    _ reading: RuntimeReading, _ tables: [JSONValue], _ name: String, _ inspection: Inspection
  ) throws {
    #expect(tables.count == 2)
    for (used, expected) in zip([reading.short, reading.long], tables) {
      let used = try #require(used, "\(name): \(reading.notes)")
      let frequencies = try #require(expected["inverse_frequencies"]?.doubles)
      let found = try #require(used.inverseFrequencies)
      #expect(found.count == frequencies.count)
      // Rotations by a small angle, from which some of the values were taken, have five digits.
      let isClose = zip(found, frequencies).allSatisfy { abs($0 - $1) <= 2e-5 * $1 }
      #expect(isClose, "\(name): \(found) instead of \(frequencies)")
      let mscale = try #require(expected["mscale"]?.double)
      #expect(abs(used.mscale - mscale) <= 1e-6, "\(name)")
    }
  }
}
