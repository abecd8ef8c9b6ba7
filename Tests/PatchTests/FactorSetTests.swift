import Formats
import Patch
import TestSupport
import Testing

@Suite("Factor sets") struct FactorSetTests {
  private func read(_ text: String, as name: String = "f.json") throws -> FactorSet {
    let folder = try TemporaryDirectory()
    return try FactorSource(path: folder.write(name, text)).set
  }

  @Test func readsTheCanonicalFormAndWritesItBack() throws {
    let text = """
      {"schema": "lrpatch.factors/1", "original_max_position_embeddings": 256, "max_position_embeddings": 1024,
       "long_factor": [[1, 2], [1, 3]], "short_factor": [1, 1.5], "mscale": {"long": 1.2, "short": 1.0},
       "start_tokens": 4, "buckets": [{"max_length": 512, "factor": [1, 1.5]}],
       "requires": {"rotary_dimensions": 4, "rope_theta": 10000, "layers": 2}, "provenance": {"anything": [1, null]}}
      """
    let set = try read(text)
    #expect(set.long == .perLayer([[1, 2], [1, 3]]))
    #expect(set.startTokens == 4 && set.buckets.count == 1)
    #expect(set.mscale == .literal(long: 1.2, short: 1))
    #expect(set.provenance?["anything"] != nil)
    let again = try read(String(decoding: JSONStyle.standard.encode(set.json), as: UTF8.self))
    #expect(again == set)
  }

  @Test func readsSearchResults() throws {
    #expect(try read("1.0\n1.5\n2.25\n", as: "f.csv").long == .uniform([1, 1.5, 2.25]))
    #expect(try read("1.0 1.5\n1.0 1.5\n", as: "f.csv").long == .uniform([1, 1.5]))
    #expect(try read("1.0,1.5\r\n1.0,2\r\n", as: "f.csv").long == .perLayer([[1, 1.5], [1, 2]]))
    for name in ["2048k_la2_256k", "ft_la2_128k", "ft_mis_256k"] {
      let set = try FactorSource(path: Fixture.path("factors/longrope-v1-csv/\(name).csv")).set
      #expect(set.long.pairs == 64 && set.long.uniform != nil)
    }
  }

  @Test(arguments: [
    ("longrope2-llama3-8b-128k", 64, 8192, 131_072),
    ("phi-3-mini-128k-instruct", 48, 4096, 131_072),
    ("phi-3-mini-128k-instruct.2024-04", 48, 4096, 131_072),
    ("phi-4-mini-instruct", 48, 4096, 131_072),
    ("minicpm3-4b", 16, 32_768, 32_768), ("phi-3-vision-128k-instruct", 48, 4096, 131_072),
  ])
  func readsPublishedConfigs(_ name: String, _ pairs: Int, _ original: Int, _ window: Int) throws {
    let set = try FactorSource(path: Fixture.path("factors/\(name).json")).set
    #expect(set.long.pairs == pairs)
    #expect(set.originalWindow == original && set.window == window)
    #expect(set.mscale == .su)
  }

  @Test func readsFactorsOutOfModels() throws {
    let set = try FactorSource(path: Fixture.path("models/phi3-tiny-longrope.gguf")).set
    #expect(set.long.pairs == 6 && set.short != nil && set.mscale == .su)
  }

  @Test func warnsOfOdditiesButTakesThem() throws {
    let set = try FactorSource(path: Fixture.path("factors/longrope-v1-csv/ft_mis_256k.csv")).set
    #expect(set.anomalies.contains { $0.contains("not monotone") })
    let minicpm = try FactorSource(path: Fixture.path("factors/minicpm4-8b-128k-extension.json"))
      .set
    #expect(minicpm.anomalies.contains { $0.contains("below 1") })
  }

  @Test(arguments: [
    "{}", "[]", "{\"schema\": \"other/1\"}", "{\"schema\": \"lrpatch.factors/1\"}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": []}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [0]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [-1]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1e300]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [\"1\"]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [[1, 2], [1]]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"short_factor\": [1, 1]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"mscale\": \"huge\"}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"mscale\": {\"short\": 1}}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"start_tokens\": -1}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"buckets\": [{}]}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"requires\": 1}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"max_position_embeddings\": 0}",
    "{\"schema\": \"lrpatch.factors/1\", \"long_factor\": [1], \"max_position_embeddings\": 2, \"original_max_position_embeddings\": 4}",
    "{\"rope_scaling\": {\"rope_type\": \"linear\", \"long_factor\": [1]}}",
    "", "\n\n", "a b\n", "1 nan\n", "1 0\n", "1 2\n3\n",
  ])
  func refuses(_ text: String) {
    do {
      _ = try read(text)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains("f.json"))
    }
  }
}
