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

  private static func passkeys(_ output: String) throws -> JSONValue? {
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
    #expect(text.output.contains("beside the baseline, by position at length 512 *"))
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

  private static let extensions = ["--self-extend", "8,128", "--dynamic-ntk"]

  /// A patched model gives the same rows as the original does with these factors.
  @Test func measuresExtensionsBesideTheRuntimes() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m")
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    let arguments = [
      "verify", model, "--runtime", "hf", "--lengths", "128,256,512", "--depths", "2", "--samples",
      "1", "--task", "passkey,perplexity", "--windows", "2", "--json",
    ]
    func measured(_ more: [String]) throws -> (status: Int32, [String: [Int: Double]], JSONValue) {
      let run = try Program.run(arguments + more)
      let result = try JSONDocument(parsing: Array(run.output.utf8)).value
      var found: [String: [Int: Double]] = [:]
      for item in result["perplexities"]?.elements ?? [] {
        guard let runtime = item["runtime"]?.text, let length = item["length"]?.integer else {
          continue
        }
        found[runtime, default: [:]][length] = item["perplexity"]?.double
      }
      return (run.status, found, result)
    }
    let (status, overlaid, result) = try measured(Self.extensions + ["--factors", factors])
    // At 512 tokens, Self-Extend finds no passkey, and the gate is not about it.
    #expect(status == 0 && Set(overlaid.keys) == ["hf", "self-extend", "dynamic-ntk"])
    #expect(
      result["passkeys"]?.elements?.contains {
        $0["runtime"]?.text == "self-extend" && $0["exact"]?.flag == false
      } == true)
    #expect(result["method"]?["self_extend"]?["group"]?.integer == 8)
    #expect(result["method"]?["self_extend"]?["window"]?.integer == 128)
    #expect(result["method"]?["dynamic_ntk"]?.flag == true)
    let named = ["--factors", factors, "--require", "passkey@512@self-extend>=0.9"]
    #expect(try measured(Self.extensions + named).status == 1)

    // Up to the window of both methods, they are the model without factors.
    let plain = try #require(try measured(["--no-gates"]).1["hf"])
    func isPlain(_ name: String, _ length: Int) throws -> Bool {
      let (own, other) = (try #require(overlaid[name]?[length]), try #require(plain[length]))
      return abs(own / other - 1) < 1e-6
    }
    #expect(try isPlain("self-extend", 128) && isPlain("dynamic-ntk", 256))
    #expect(try !isPlain("self-extend", 256) && !isPlain("hf", 128))
    for name in ["self-extend", "dynamic-ntk"] {
      #expect(try #require(overlaid[name]?[512]) < 0.9 * #require(plain[512]), "\(name)")
    }

    // The undo record knows the model without factors.
    #expect(try Program.run(["apply", factors, model]).status == 0)
    #expect(try measured(Self.extensions).1 == overlaid)
    try FileManager.default.removeItem(atPath: "\(model)/.lrpatch")
    let refused = try Program.run(arguments + Self.extensions)
    #expect(refused.status == 3 && refused.errors.contains("has no record of a patch"))
  }

  @Test func mergesOnlyPartsWithTheSameExtensions() throws {
    let folder = try TemporaryDirectory()
    func measure(_ part: String, _ sizes: String) throws -> String {
      let path = "\(folder.path)/\(part.prefix(1))-\(sizes.prefix(1)).json"
      let run = try Program.run([
        "verify", Fixture.path("models/needle-256.gguf"), "--lengths", "128", "--depths", "2",
        "--samples", "1", "--runtime", "paper", "--shard", part, "--self-extend", sizes, "-o", path,
      ])
      #expect(run.status == 0, "\(run.errors)")
      return path
    }
    let first = try measure("1/2", "4,32")
    let merged = try Program.run(["report", first, measure("2/2", "4,32")])
    #expect(merged.status == 0 && merged.output.contains("self-extend"), "\(merged.errors)")
    let other = try Program.run(["report", first, measure("2/2", "8,32")])
    #expect(other.status == 3 && other.errors.contains("self_extend"), "\(other.errors)")
  }

  @Test func saysHowFarSelfExtendReaches() throws {
    let model = Fixture.path("models/needle-256.gguf")
    let arguments = ["verify", model, "--depths", "1", "--samples", "1", "--no-gates"]
    let long = try Program.run(arguments + ["--lengths", "641", "--self-extend", "4,128"])
    #expect(long.errors.contains("keeps up to 640 tokens within the original window of 256"))
    let short = try Program.run(arguments + ["--lengths", "640", "--self-extend", "4,128"])
    #expect(!short.errors.contains("keeps up to"))
    #expect(short.output.contains("self-extend: without factors"))
    for sizes in ["3,16", "4", "0,8", "4,8,12", "x,8"] {
      let refused = try Program.run(arguments + ["--self-extend", sizes])
      #expect(refused.status == 2 && refused.errors.contains("multiple of the group"), "\(sizes)")
    }
  }

  /// A signal reaches the program whatever threads its libraries have started, and results are
  /// kept.
  @Test(arguments: [SIGINT, SIGTERM]) func keepsWhatItKnowsWhenInterrupted(_ signal: Int32) throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let result = "\(folder.path)/result.json"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = [
      "verify", model, "--lengths", "128,64k", "--depths", "300", "--no-gates", "-o", result,
      "--time-budget", "60s",
    ]
    process.standardOutput = FileHandle.nullDevice
    let terminal = try PseudoTerminal()
    process.standardError = terminal.program
    process.environment = ["TERM": "xterm"]
    try process.run()
    // The line is drawn again when the first passkeys are measured.
    #expect(terminal.waits(for: "passkey", times: 2))
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let json = try JSONDocument(path: result).value
    #expect(json["complete"]?.flag == false && json["passkeys"]?.elements?.isEmpty == false)
    #expect(json["missing"]?.elements?.isEmpty == false)
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

  @Test func stopsWithWhatItKnows() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "256,512,1024,2048,4096,8192", "--json", "--depths", "40",
    ]
    let run = try Program.run(arguments + ["--time-budget", "0.4s"])
    #expect(run.status == 1 && run.errors.contains("time budget"))
    let json = try JSONDocument(parsing: Array(run.output.utf8)).value
    #expect(json["complete"]?.flag == false && json["missing"]?.elements?.isEmpty == false)
    #expect(json["gates"]?.elements?.first?["passed"]?.flag == false)
  }

  @Test func estimatesWithoutMeasuring() throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "256,1024", "--depths", "3", "--runtime", "paper", "--threads",
      "2", "--estimate", "-o", "\(folder.path)/result.json",
    ]
    let json = try JSONDocument(parsing: Array(Program.run(arguments + ["--json"]).output.utf8))
    #expect(json.value["longest"]?.integer == 1024 && json.value["schema"] != nil)
    let times = try #require(json.value["times"]?.elements)
    #expect(times.compactMap { $0["threads"]?.integer } == [2, 16, 64])
    let text = try Program.run(arguments)
    #expect(text.status == 0 && text.output.contains("with 2 here"))
    #expect(!FileSystem.exists("\(folder.path)/result.json"))
    // Each part is estimated by itself.
    let whole = try #require(json.value["tokens"]?.integer)
    let parts = try (1...2).map { part in
      let run = try Program.run(arguments + ["--json", "--shard", "\(part)/2"])
      return try JSONDocument(parsing: Array(run.output.utf8)).value["tokens"]?.integer ?? 0
    }
    #expect(parts.allSatisfy { $0 > 0 } && parts.reduce(0, +) == whole)
  }

  @Test func shardsMakeUpTheWhole() throws {
    let model = Fixture.path("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "128,256", "--depths", "3", "--json", "--runtime", "paper",
      "--samples", "1",
    ]
    func cells(_ more: [String]) throws -> Set<String> {
      let run = try Program.run(arguments + more)
      let cells = try Self.passkeys(run.output)?.elements ?? []
      return Set(
        cells.map {
          "\($0["length"]?.integer ?? 0) \($0["depth"]?.double ?? 0) \($0["key"]?.integer ?? 0)"
        })
    }
    let whole = try cells([])
    let parts = try (1...3).map { try cells(["--shard", "\($0)/3"]) }
    #expect(whole.count == 6 && parts.map(\.count).reduce(0, +) == 6)
    #expect(parts.reduce(into: Set()) { $0.formUnion($1) } == whole)
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
