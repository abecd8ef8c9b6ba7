import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch
@testable import Verify

@Suite("Tasks and gates") struct VerifyTests {
  @Test func promptsHaveExactlyTheirLength() throws {
    let tokenizer = try Tokenizer(path: Fixture.path("models/needle-256"))
    let passkey = Passkey(tokenizer)
    for length in [128, 255, 256, 257, 1000] {
      for depth in [0, 0.5, 1.0] {
        let prompt = try passkey.prompt(.init(length: length, depth: depth, sample: 0), key: 12_345)
        #expect(prompt.tokens.count == length)
        #expect(tokenizer.decode(Array(prompt.tokens[prompt.promptLength...])) == " 12345")
        #expect(tokenizer.decode(prompt.tokens).contains("The pass key is 12345. Remember it."))
      }
    }
    #expect(throws: ModelError.self) {
      try passkey.prompt(.init(length: 40, depth: 0, sample: 0), key: 1)
    }
  }

  private static func policy(_ rule: SwitchRule) throws -> RopePolicy {
    var reading = RuntimeReading(name: "x", title: "x")
    reading.short = UsedTable(name: "short", mscale: 1, inverseFrequencies: [1, 0.5])
    reading.long = UsedTable(name: "long", mscale: 1.5, inverseFrequencies: [0.5, 0.25])
    reading.rule = rule
    return try RopePolicy(reading)
  }

  @Test func rotatesAsEachRuntimeDoesAtTheCrossing() throws {
    // Ten tokens of prompt, then five generated; the window is 12.
    let scored = Array(10..<15)
    func mscales(_ schedule: RopeSchedule) -> [Float] {
      (0..<15).map { schedule.table(at: $0).mscale }
    }
    let fixed = try Self.policy(.fixed).passes(prompt: 10, scored: scored)
    #expect(fixed.count == 1 && mscales(fixed[0].schedule) == Array(repeating: 1.5, count: 15))
    let kept = try Self.policy(.kept(beyond: 12)).passes(prompt: 10, scored: scored)
    #expect(
      kept.count == 1
        && mscales(kept[0].schedule) == Array(repeating: 1, count: 12) + [1.5, 1.5, 1.5])
    let anew = try Self.policy(.recomputed(beyond: 12)).passes(prompt: 10, scored: scored)
    #expect(anew.map(\.scored) == [[10, 11, 12], [13, 14]])
    #expect(anew.map { $0.schedule.table(at: 0).mscale } == [1, 1.5])
    // A prompt beyond the window uses the long table from its first token on.
    let long = try Self.policy(.kept(beyond: 8)).passes(prompt: 10, scored: scored)
    #expect(mscales(long[0].schedule) == Array(repeating: 1.5, count: 15))
    #expect(fixed[0].schedule.commonPositions(with: kept[0].schedule) == 0)
    #expect(anew[0].schedule.commonPositions(with: kept[0].schedule) == 12)
    #expect(fixed[0].schedule.commonPositions(with: long[0].schedule) == .max)
  }

  @Test func followsWhatNoRuntimeCanExpress() throws {
    let geometry = RopeGeometry(
      architecture: "llama", yarnTurns: YarnTurns(fast: 32, slow: 1), rotaryDimensions: 4,
      theta: 100, window: 64, originalWindows: [16], scalingType: "default")
    let set = FactorSet(
      originalWindow: 16, window: 64, long: .perLayer([[2, 4], [8, 16]]),
      mscale: .literal(long: 2, short: 3),
      startTokens: 3, buckets: [.init(maximumLength: 32, factors: .uniform([1, 2]))])
    let policy = try RopePolicy(paper: set, geometry: geometry)
    let long = policy.schedule(prompt: 40, count: 40)
    #expect(long.isPerLayer && !policy.schedule(prompt: 20, count: 20).isPerLayer)
    // The first positions are not scaled; later ones are scaled by their layer's list.
    #expect(long.table(at: 0).frequencies(layer: 1, position: 2) == [1, 0.1])
    #expect(long.table(at: 0).scale(at: 2) == 1 && long.table(at: 0).scale(at: 3) == 2)
    #expect(long.table(at: 0).frequencies(layer: 0, position: 3) == [0.5, 0.025])
    #expect(long.table(at: 0).frequencies(layer: 1, position: 3) == [0.125, 0.00625])
    #expect(
      policy.schedule(prompt: 20, count: 20).table(at: 5).frequencies(layer: 0, position: 5) == [
        1, 0.05,
      ])
    #expect(policy.schedule(prompt: 16, count: 16).table(at: 5).mscale == 3)
  }

  @Test func readsGates() throws {
    let names = ["paper", "hf", "vllm"]
    let gate = try #require(Gate("passkey@1024@vllm>=0.95", runtimes: names))
    #expect(
      gate.place == .length(1024) && gate.runtime == "vllm" && gate.comparison == .atLeast
        && gate.limit == 0.95)
    #expect(Gate("perplexity@long<=40", runtimes: names)?.place == .long)
    #expect(
      Gate("niah_multikey_2@hf@short>=0.5", runtimes: names)?.metric.rawValue == "niah_multikey_2")
    for text in [
      "passkey", "passkey=1", "speed>=1", "passkey@nowhere>=1", "passkey@1@2>=1", "passkey>=x",
    ] {
      #expect(Gate(text, runtimes: names) == nil, "\(text)")
    }
  }

  @Test func judgesByTheWorstPlaceAndFailsWhatWasNotMeasured() throws {
    var measured = Measurements(originalWindow: 256)
    measured.expect([.passkey, .publishedPasskey], ["hf"], length: 256)
    measured.expect([.passkey, .publishedPasskey], ["hf"], length: 512, count: 3)
    for (length, isExact) in [(256, true), (512, true), (512, false)] {
      measured.add(
        Passkey.Result(
          runtime: "hf", cell: .init(length: length, depth: 0, sample: 0), key: 1, isExact: isExact,
          isPublished: true, margin: 0))
    }
    func verdict(_ text: String) throws -> Verdict {
      measured.judge(try #require(Gate(text, runtimes: ["hf", "vllm"])))
    }
    // One cell of 512 is still missing.
    #expect(try !verdict("passkey@512>=0.1").passes && verdict("passkey@512>=0.1").worst == nil)
    #expect(try verdict("passkey@short>=0.9").passes)
    measured.missing = [:]
    #expect(try !verdict("passkey>=0.9").passes)
    #expect(try verdict("passkey>=0.9").worst == 0.5)
    #expect(try verdict("passkey_published>=1").passes)
    #expect(try verdict("passkey@512>=0.5").passes)
    #expect(try !verdict("passkey@vllm>=0.1").passes && verdict("passkey@vllm>=0.1").worst == nil)
    #expect(try !verdict("perplexity<=100").passes)
  }

  @Test func cutsWindowsAsEachMethodDoes() throws {
    let text = Array(100..<130)
    func measure(_ method: Perplexity.Method, _ length: Int, stride: Int = 4) throws -> Perplexity {
      try Perplexity(
        text, length: length, longest: 10, method: method, stride: stride, beginning: 1,
        maximumWindows: 3)
    }
    let truncated = try measure(.truncate, 6).windows
    // Documents have the longest length; shorter lengths use their beginnings.
    #expect(
      truncated.map(\.tokens) == [
        [1, 100, 101, 102, 103, 104], [1, 109, 110, 111, 112, 113], [1, 118, 119, 120, 121, 122],
      ])
    #expect(truncated[0].scored == [1, 2, 3, 4, 5])
    let sliding = try measure(.sliding, 6).windows
    #expect(
      sliding[1].tokens == [1, 104, 105, 106, 107, 108] && sliding[1].scored == [2, 3, 4, 5])
    let hf = try measure(.hfStride, 6).windows
    #expect(
      hf[0].tokens == [1, 100, 101, 102, 103, 104]
        && hf[1].tokens == [103, 104, 105, 106, 107, 108])
    #expect(hf[1].scored == [2, 3, 4, 5])
    let chunks = try measure(.llamaCpp, 6).windows
    #expect(chunks[1].tokens == [1, 106, 107, 108, 109, 110] && chunks[1].scored == [4, 5])
    #expect(throws: ModelError.self) { try measure(.sliding, 40) }
  }

  @Test func choosesExpertsAsPublished() {
    func experts(_ routing: Experts.Routing) throws -> Experts {
      let weight = try Transformer(path: Fixture.path("models/needle-256")).embedding
      return Experts(router: weight, experts: [], used: 2, routing: routing)
    }
    #expect(throws: Never.self) {
      // 2.0 and 1.97 are within two per cent of each other, 1.9 is not.
      let mixed = try experts(.sparseMixer(jitter: 0.01)).choose([1.9, 2, 1.97, -4])
      #expect(mixed.map(\.expert) == [1, 2])
      #expect(abs(mixed[0].weight - 1 / (1 + exp(-0.03))) < 1e-5 && mixed[1].weight == 1)
      let soft = try experts(.softmax).choose([1.9, 2, 1.97, -4])
      #expect(soft.map(\.expert) == [1, 2] && abs(soft[0].weight + soft[1].weight - 1) < 1e-6)
    }
  }

  @Test func sharedPrefixesChangeNothing() throws {
    let model = try Transformer(path: Fixture.path("models/needle-256-x4"))
    let inspection = try Inspection(
      ModelSession(path: Fixture.path("models/needle-256-x4"), exclusive: false),
      overlaying: FactorSource(path: Fixture.path("models/needle-256-x4.factors.json")).set)
    let policies = try inspection.readings.filter { ["paper", "hf", "mlx"].contains($0.name) }.map(
      RopePolicy.init)
    let scoring = Scoring(ForwardPass(model, threads: 2), policies)
    let tokens = (0..<700).map { ($0 * 37) % 1000 + 5 }
    let sequences = [700, 300, 650, 257].map { length in
      Scoring.Sequence(
        tokens: Array(tokens[..<(length - 20)]) + (0..<20).map { ($0 + length) % 900 },
        prompt: length - 10,
        scored: Array(length - 12..<length))
    }
    var together: [[TokenScore]] = []
    try scoring.run(sequences) { _, _, scores in together.append(scores) }
    var alone: [[TokenScore]] = []
    for sequence in sequences {
      try scoring.run([sequence]) { _, _, scores in alone.append(scores) }
    }
    #expect(together.count == 12 && together.count == alone.count)
    for (first, second) in zip(together.joined(), alone.joined()) {
      #expect(abs(first.logProbability - second.logProbability) < 1e-4)
    }
  }

  /// Step-by-step decoding gives the tokens that one prefill finds likeliest, also at the crossing.
  @Test(arguments: ["paper", "hf", "mlx"]) func generatesWhatScoringFindsLikeliest(_ name: String)
    throws
  {
    let path = Fixture.path("models/needle-256-x4")
    let inspection = try Inspection(
      ModelSession(path: path, exclusive: false),
      overlaying: FactorSource(path: Fixture.path("models/needle-256-x4.factors.json")).set)
    let policy = try RopePolicy(#require(inspection.readings.first { $0.name == name }))
    for precision in Precision.allCases {
      let forward = ForwardPass(try Transformer(path: path), threads: 2, precision: precision)
      let prompt = [0] + (0..<249).map { ($0 * 31) % 1000 + 5 }
      let generator = Generator(forward, policy)
      let found = try generator.generate(prompt, count: 12)
      var greedy: [Int] = []
      let sequence = Scoring.Sequence(
        tokens: prompt + found, prompt: prompt.count,
        scored: Array(prompt.count..<prompt.count + 12))
      try Scoring(forward, [policy]).run([sequence]) { _, _, scores in greedy = scores.map(\.greedy)
      }
      #expect(precision == .fast || found == greedy)
      // A prompt with the same beginning uses the cache, and gives the same tokens.
      #expect(try generator.generate(Array(prompt.dropLast(3)), count: 4).count == 4)
      #expect(try generator.generate(prompt, count: 12) == found)
    }
  }

  /// Decoded cells get the same scores as from a prefill.
  @Test func decodedCellsAreScoredAlike() throws {
    let path = Fixture.path("models/needle-256-x4")
    let readings = try Inspection(ModelSession(path: path, exclusive: false)).readings
    let policies = try readings.prefix(2).map(RopePolicy.init)
    let passkey = Passkey(try Tokenizer(path: path))
    let cells = [1, 0.6, 0].map { Passkey.Cell(length: 400, depth: $0, sample: 0) }
    func results(cacheLimit: Int) throws -> [Passkey.Result] {
      var forward = ForwardPass(try Transformer(path: path), threads: 2)
      forward.cacheLimit = cacheLimit
      var results: [Passkey.Result] = []
      try passkey.run(cells, Scoring(forward, policies), seed: 3) { results.append($0) }
      return results.sorted { ($0.cell.depth, $0.runtime) < ($1.cell.depth, $1.runtime) }
    }
    let decoded = try results(cacheLimit: .max)
    // Without room for a cache nothing is decoded, and the `published` score is unknown.
    let scored = try results(cacheLimit: 0)
    #expect(decoded.count == 6 && scored.count == 6)
    for (one, other) in zip(decoded, scored) {
      #expect(
        one.cell == other.cell && one.isExact == other.isExact
          && abs(one.margin - other.margin) < 1e-3)
      #expect(one.isPublished != nil && other.isPublished == (other.isExact ? true : nil))
    }
  }

  @Test func fastIsCloseToExact() throws {
    let path = Fixture.path("models/needle-256-x4")
    let policy = try RopePolicy(
      #require(try Inspection(ModelSession(path: path, exclusive: false)).readings.first))
    let model = try Transformer(path: path)
    let tokens = try Tokenizer(path: path).encode(
      String(
        decoding: FileSystem.contents(of: Fixture.path("text/moby-dick-opening.txt")), as: UTF8.self
      ))
    let measure = try Perplexity(
      tokens, length: 256, longest: 256, method: .truncate, beginning: 0, maximumWindows: 4)
    for kernels in KernelTable.all {
      let fast = ForwardPass(model, Engine(.fast, threads: 2, kernels: kernels, usesBF16: true))
      let exact = ForwardPass(model, Engine(.exact, threads: 1, kernels: KernelTable.all[0]))
      try Retention(measure).run(Scoring(fast, [policy]), baseline: Scoring(exact, [policy])) {
        result in
        #expect(
          abs(result.ratio - 1) < 0.003 && result.divergence < 0.001, "\(kernels.name): \(result)")
      }
    }
  }

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
    #expect(try Program.run(arguments + ["--threads", "1"]).output == after.output)
    #expect(try Program.run(arguments + ["--threads", "3"]).output == after.output)
    #expect(try Program.run(arguments + ["--threads", "8"]).output == after.output)
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

  @Test func shardsMakeUpTheWhole() throws {
    let model = Fixture.path("models/needle-256-x4.gguf")
    let arguments = [
      "verify", model, "--lengths", "128,256", "--depths", "3", "--json", "--runtime", "paper",
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
