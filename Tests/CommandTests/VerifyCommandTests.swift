import Formats
import Foundation
import TestSupport
import Testing

@testable import Models
@testable import Patch

/// The command `verify`.
@Suite("Verify command") struct VerifyCommandTests {
  @Test func needleFailsBeforeAndPassesAfter() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let arguments = ["verify", model, "--lengths", "256,512,1024", "--depths", "5", "--json"]
    let before = try Program.run(arguments)
    #expect(before.status == 1)
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    let overlaid = try Program.run(arguments + ["--factors", factors])
    #expect(overlaid.status == 0, "\(overlaid.errors)")
    #expect(
      try Program.run(["apply", Fixture.path("models/needle-256-x4.factors.json"), model]).status
        == 0)
    let after = try Program.run(arguments)
    #expect(after.status == 0, "\(after.errors)")
    #expect(try Self.passkeys(overlaid.output) == Self.passkeys(after.output))
    // The same bytes for any number of threads.
    for threads in ["1", "3", "8"] {
      let other = try Program.run(arguments + ["--threads", threads])
      #expect(Self.withoutTimes(other.output) == Self.withoutTimes(after.output))
    }
  }

  /// A document without the lines that say when and how long it was measured.
  static func withoutTimes(_ output: String) -> [Substring] {
    output.split(separator: "\n").filter {
      !$0.contains("\"began\": ") && !$0.contains("\"seconds\": ")
    }
  }

  static func passkeys(_ output: String) throws -> JSONValue? {
    try JSONDocument(parsing: Array(output.utf8)).value["passkeys"]
  }

  @Test func measuresEveryTaskAndWritesTheResult() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m")
    #expect(
      try Program.run(["apply", Fixture.path("models/needle-256-x4.factors.json"), model]).status
        == 0)
    let result = "\(folder.path)/result.json"
    var arguments = [
      "verify", model, "--lengths", "256,320", "--depths", "2", "--windows", "2", "--runtime", "hf",
      "--samples", "1",
    ]
    arguments += ["--runtime", "mlx", "--baseline", "-o", result, "--no-progress"]
    for task in ["passkey", "niah", "niah_single_1", "perplexity", "retention", "crossing"] {
      arguments += ["--task", task]
    }
    arguments += ["--require", "top1@short>=0.5", "--require", "kl<=1", "--require", "niah>=0.99"]
    let run = try Program.run(arguments)
    // Only the gate on needles fails, because the model was not trained on them.
    #expect(run.status == 1, "\(run.errors)")
    #expect(
      run.output.contains("passed  top1@short>=0.5") && run.output.contains("FAILED  niah>=0.99"))
    let json = try JSONDocument(path: result).value
    #expect(json["passkeys"]?.elements?.count == 8 && json["perplexities"]?.elements?.count == 4)
    #expect(json["retention"]?.elements?.count == 2 && json["crossings"]?.elements?.count == 2)
    // RULER's prompts with room for the answer do not fit these short lengths.
    #expect(json["skipped"]?.elements?.isEmpty == false && json["complete"]?.flag == true)
    #expect(json["missing"]?.elements?.allSatisfy { $0["metric"]?.text == "niah_single_1" } == true)
    // The runtimes differ when tokens are generated past the original window.
    let crossings = json["crossings"]?.elements?.compactMap { $0["perplexity"]?.double } ?? []
    #expect(crossings.count == 2 && abs(crossings[0] - crossings[1]) > 1)
  }

  @Test func comparesModelsAtEveryPosition() throws {
    let (model, other) = ("models/needle-256-x4.gguf", "models/needle-256.gguf")
    let arguments = [
      "verify", Fixture.path(model), "--lengths", "200,512", "--depths", "3", "--samples", "1",
      "--windows", "2", "--runtime", "paper", "--no-gates", "--json", "--factors",
      Fixture.path("models/needle-256-x4.factors.json"), "--against",
    ]
    let run = try Program.run(arguments + [Fixture.path(other)])
    #expect(run.status == 0, "\(run.errors)")
    let result = try JSONDocument(parsing: Array(run.output.utf8)).value
    let compared = try #require(result["retention"]?.elements)
    #expect(compared.compactMap { $0["length"]?.integer } == [200, 512])
    for length in compared {
      let parts = try #require(length["parts"]?.elements)
      #expect(parts.count == 8 && parts[7]["to"]?.integer == length["length"]?.integer)
      #expect(zip(parts, parts.dropFirst()).allSatisfy { $0["to"] == $1["from"] })
      let tokens = parts.compactMap { $0["tokens"]?.double }
      #expect(tokens.reduce(0, +) == length["tokens"]?.double)
      for name in ["kl", "top1"] {
        let mean = zip(parts, tokens).reduce(0) { $0 + ($1.0[name]?.double ?? .nan) * $1.1 }
        let whole = try #require(length[name]?.double)
        #expect(abs(mean / tokens.reduce(0, +) - whole) < 1e-9 && whole > 0, "\(name)")
      }
    }
    // The model finds its passkeys at 512 tokens, the other one, which lacks the factors, does not.
    let (own, others) = (result["passkeys"]?.elements, result["baseline_passkeys"]?.elements)
    #expect(own?.filter { $0["exact"]?.flag == true }.count == 6)
    #expect(others?.count == 6 && others?.contains { $0["exact"]?.flag == false } == true)
    let text = try Program.run(arguments.filter { $0 != "--json" } + [Fixture.path(other)])
    #expect(text.output.contains("compared with the baseline, by position at length 512 *"))
    #expect(text.output.contains("gained"))
    let both = try Program.run(arguments + [Fixture.path(other), "--baseline"])
    #expect(both.status == 2 && both.errors.contains("exclude each other"))
  }

  @Test func roundsKeysAndValues() throws {
    func perplexity(_ more: String...) throws -> (value: Double?, types: [String?]) {
      let run = try Program.run(
        [
          "verify", Fixture.path("models/needle-256-x4.gguf"), "--task", "perplexity", "--lengths",
          "256", "--windows", "4", "--runtime", "llama.cpp", "--no-gates", "--json",
        ] + more)
      let result = try JSONDocument(parsing: Array(run.output.utf8)).value
      let types = ["cache", "cache_values"].map { result["method"]?[$0]?.text }
      return (result["perplexities"]?.elements?.first?["perplexity"]?.double, types)
    }
    let (exact, fine) = (try perplexity(), try perplexity("--cache", "q8_0"))
    let coarse = try perplexity("--cache", "q8_0", "--cache-values", "q4_0")
    let one = try #require(exact.value)
    let (two, three) = (try #require(fine.value), try #require(coarse.value))
    #expect(one != two && abs(two / one - 1) < 2e-3)
    #expect(two != three && abs(three / one - 1) < 2e-2)
    #expect(exact.types == ["f32", "f32"] && coarse.types == ["q8_0", "q4_0"])
    let text = try Program.run([
      "verify", Fixture.path("models/needle-256-x4.gguf"), "--lengths", "128", "--depths", "1",
      "--runtime", "llama.cpp", "--no-gates", "--cache", "q4_0",
    ])
    #expect(text.output.contains("keys and values kept as q4_0"))
    let narrow = Fixture.path("architectures/llama.gguf")
    let refused = try Program.run(["verify", narrow, "--lengths", "16", "--cache", "q8_0"])
    #expect(refused.status == 3 && refused.errors.contains("do not divide a head of 12"))
  }

  @Test func overwritesNothingButItsOwnResults() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    func status(_ output: String) throws -> Int32 {
      try Program.run(["verify", model, "--lengths", "128", "--depths", "1", "-q", "-o", output])
        .status
    }
    let before = try FileSystem.contents(of: model)
    #expect(try status(model) == 4 && status(folder.path) == 4 && status("/dev/null") == 4)
    #expect(try FileSystem.contents(of: model) == before)
    #expect(try status("\(folder.path)/missing/result.json") == 5)
    #expect(
      try status("\(folder.path)/result.json") == 0 && status("\(folder.path)/result.json") == 0)
  }

  @Test func runsFactorsThatNoRuntimeCanExpress() throws {
    let folder = try TemporaryDirectory()
    let set = try FactorSource(path: Fixture.path("models/needle-256-x4.factors.json")).set
    let list = try #require(set.long.uniform).map { "\($0)" }.joined(separator: ",")
    let other = try #require(set.long.uniform).map { "\($0 * 1.01)" }.joined(separator: ",")
    let path = try folder.write(
      "layers.json",
      Array(
        """
        {"schema": "lrpatch.factors/1", "original_max_position_embeddings": 256, "max_position_embeddings": 1024,
         "start_tokens": 4, "long_factor": [[\(list)], [\(other)], [\(list)], [\(list)]]}
        """.utf8))
    let model = Fixture.path("models/needle-256-x4")
    let arguments = ["verify", model, "--factors", path, "--lengths", "512", "--depths", "3"]
    let run = try Program.run(arguments)
    #expect(run.status == 0 && run.errors.contains("not followed: hf, "), "\(run.errors)")
    #expect(try Program.run(arguments + ["--runtime", "vllm"]).status == 3)
  }

  @Test func refusesWhatItCannotRun() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256", as: "m")
    func status(_ arguments: String...) throws -> Int32 {
      try Program.run(["verify", model] + arguments).status
    }
    #expect(try status("--runtime", "nonsense") == 2)
    #expect(try status("--require", "nonsense") == 2)
    #expect(try status("--lengths", "20") == 3)
    for wrong in [
      ["--method", "x"], ["--shard", "3/2"], ["--task", "x"], ["--time-budget", "x"],
      ["--bos", "x"],
    ] {
      #expect(try Program.run(["verify", model] + wrong).status == 2, "\(wrong)")
    }
    for wrong in [
      ["--shard", "1/0"], ["--lengths", "9223372036854775807"],
      ["--windows", "9223372036854775807"],
      ["--no-gates", "--require", "passkey>=1"], ["--require", "passkey@99k>=0"],
      ["--require", "niah>=0"],
    ] { #expect(try Program.run(["verify", model] + wrong).status == 2, "\(wrong)") }
    let config = try FileSystem.contents(of: "\(model)/config.json")
    let text = String(decoding: config, as: UTF8.self)
    for (old, new) in [
      ("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 2147483648"),
      ("\"num_attention_heads\": 4", "\"num_attention_heads\": 4611686018427387904"),
      ("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\""),
      ("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 3"),
    ] {
      #expect(text.contains(old))
      try folder.write("m/config.json", Array(text.replacingOccurrences(of: old, with: new).utf8))
      #expect(try status("--lengths", "128") == 3, "\(new)")
    }
    try folder.write("m/config.json", config)
    let long = try Program.run(["verify", model, "--lengths", "1M,1024M"])
    #expect(long.status == 3 && long.errors.contains("GiB"))
    let unpatched = try Program.run(["verify", model, "--baseline"])
    #expect(unpatched.status == 3 && unpatched.errors.contains("no record of a patch"))
    #expect(try status("--perplexity", "/nowhere") == 5)
    // A weight that is missing, and one that is not a number.
    var bytes = try Fixture.bytes("models/needle-256/model.safetensors")
    let header = try SafetensorsHeader(parsing: bytes.rawSpan)
    let norm = try #require(header.tensor(named: "model.norm.weight"))
    bytes[header.dataOffset + norm.range.lowerBound] = 0xC0
    bytes[header.dataOffset + norm.range.lowerBound + 1] = 0x7F
    try folder.write("m/model.safetensors", bytes)
    let damaged = try Program.run(["verify", model])
    #expect(damaged.status == 3 && damaged.errors.contains("model.norm.weight"))
    try FileSystem.remove("\(model)/model.safetensors")
    #expect(try status() == 3)
  }
}
