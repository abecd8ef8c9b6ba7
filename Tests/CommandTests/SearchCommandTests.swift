import Formats
import Foundation
import TestSupport
import Testing

/// Runs `search`, `factors make` and `factors compare` as processes, on the trained fixture model.
@Suite("Search commands") struct SearchCommandTests {
  static let model = Fixture.path("models/needle-256")
  static let text = Fixture.path("text/moby-dick-opening.txt")
  /// Options of a search that takes a second.
  static let small = [
    "--target-length", "512", "--population", "8", "--parents", "4", "--mutants", "3",
    "--crossovers", "3",
    "--iterations",
    "4", "--documents", "3", "--text", text, "-q",
  ]

  private func search(_ arguments: [String], in folder: TemporaryDirectory) throws -> Program.Result
  {
    try Program.run(["search", Self.model] + arguments, in: folder.path)
  }

  @Test(arguments: [
    ["--algorithm", "longrope"],
    [
      "--algorithm", "longrope2", "--fitness", "both", "--needle-prompt", "passkey", "--needles",
      "4",
    ],
    ["--as-released"], ["--as-released", "dim_piece_mono"],
    ["--algorithm", "cma-es", "--search-mscale", "--generation-size", "6"],
    ["--algorithm", "longrope", "--start-tokens", "--method", "sliding", "--no-race"],
    ["--algorithm", "gradient", "--search-mscale", "--fitness", "both", "--needles", "2"],
    ["--algorithm", "dcis", "--fitness", "both", "--needle-prompt", "keys", "--needles", "3"],
  ])
  func goesOnFromACheckpointAsIfNothingHadBeen(_ choice: [String]) throws {
    let folder = try TemporaryDirectory()
    let limit = choice.contains("cma-es") || choice.contains("dcis") ? ["--evaluations", "30"] : []
    let whole = try search(
      choice + Self.small + limit + ["-o", "whole.json", "--jobs", "1", "--log", "whole.log"],
      in: folder)
    #expect(whole.status == 0, "\(whole.errors)")
    let first = try search(
      choice + Self.small + ["-o", "part.json", "--evaluations", "9", "--jobs", "2"], in: folder)
    #expect(
      first.status == 0 && FileSystem.exists("\(folder.path)/part.json.checkpoint"),
      "\(first.errors)")
    let rest = try search(
      [
        "--resume", "part.json.checkpoint", "-o", "rest.json", "--log", "rest.log", "--threads",
        "3", "-q",
      ] + limit,
      in: folder)
    #expect(rest.status == 0, "\(rest.errors)")
    for (a, b) in [("whole.json", "rest.json"), ("whole.log", "rest.log")] {
      #expect(
        try FileSystem.contents(of: "\(folder.path)/\(a)")
          == FileSystem.contents(of: "\(folder.path)/\(b)"),
        "\(choice)")
    }
    // The result can be applied at once, unless no runtime can express it.
    try folder.copy("models/needle-256", as: "m")
    let apply = try Program.run(["apply", "whole.json", "m", "--allow-divergent"], in: folder.path)
    #expect(apply.status == 0, "\(apply.errors)")
  }

  @Test func settingsBesideACheckpointMustBeItsOwn() throws {
    let folder = try TemporaryDirectory()
    let settings = ["--algorithm", "cma-es", "--documents", "3", "--part", "1/2", "--seed", "5"]
    let first = try search(
      settings + ["--target-length", "512", "--evaluations", "8", "-o", "a.json", "-q"], in: folder)
    #expect(first.status == 0, "\(first.errors)")
    func resume(_ more: [String]) throws -> Program.Result {
      try search(
        ["--resume", "a.json.checkpoint", "--evaluations", "8", "-o", "b.json", "-q"] + more,
        in: folder)
    }
    for (more, words) in [
      (["--seed", "6"], "--seed"), (["--target-length", "1k"], "512 tokens"),
      (["--documents", "4"], "--documents"),
      // The default value, given explicitly.
      (["--documents", "5"], "--documents"), (["--algorithm", "longrope2"], "--algorithm"),
      (["--seed=0"], "--seed"),
      (["--algorithm", "longrope"], "--algorithm"),
      (["--text", Fixture.path("text/moby-dick-opening.txt")], "--text"),
    ] {
      let result = try resume(more)
      #expect(
        result.status == 2 && result.errors.contains(words),
        "\(more): \(result.status) \(result.errors)")
    }
    #expect(try resume(settings + ["--target-length", "512"]).status == 0)
  }

  /// An option that a search does not use never conflicts with its checkpoint.
  @Test func unusedOptionsMayBeRepeated() throws {
    let folder = try TemporaryDirectory()
    let settings = [
      "--target-length", "512", "--fitness", "both", "--needle-prompt", "keys", "--needles", "2",
      "--documents", "3", "--evaluations", "4", "--no-comparison",
    ]
    let first = try search(settings + ["-o", "a.json"], in: folder)
    #expect(first.status == 0 && first.errors.contains("does not use --documents"))
    #expect(first.output.contains("fitness") && !first.output.contains("needle perplexity"))
    let rest = try search(
      settings + ["-o", "b.json", "--resume", "a.json.checkpoint", "-q"], in: folder)
    #expect(rest.status == 0, "\(rest.errors)")
    let found = try JSONDocument(path: "\(folder.path)/b.json").value["provenance"]
    #expect(found?["haystacks_are_documents"]?.flag == true)
  }

  @Test func aModelThatIsExtendedAlreadyIsExtendedFurther() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "m")
    #expect(
      try Program.run(
        ["apply", Fixture.path("models/needle-256-x4.factors.json"), "m", "-q"], in: folder.path
      ).status
        == 0)
    let result = try Program.run(
      ["search", "m", "--algorithm", "longrope", "-o", "f.json", "--target-length", "2048"]
        + Self.small.dropFirst(2),
      in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let found = try JSONDocument(path: "\(folder.path)/f.json").value
    #expect(
      found["original_max_position_embeddings"]?.integer == 256
        && found["max_position_embeddings"]?.integer == 2048)
    let before = try #require(
      JSONDocument(path: Fixture.path("models/needle-256-x4.factors.json")).value["long_factor"]?
        .doubles)
    let after = try #require(found["long_factor"]?.doubles)
    #expect(zip(before, after).allSatisfy { $0 <= $1 + 1e-6 } && (after.last ?? 0) > 5)
    #expect(try Program.run(["apply", "f.json", "m", "-q"], in: folder.path).status == 0)
  }

  /// A short table first, then a bucket onto it; both run in `verify`, and the first in every
  /// runtime.
  @Test func tablesForShorterInputsAreFoundToo() throws {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "m")
    func run(_ arguments: [String]) throws -> Program.Result {
      try Program.run(arguments, in: folder.path)
    }
    #expect(
      try run(["apply", Fixture.path("models/needle-256-x4.factors.json"), "m", "-q"]).status == 0)
    let common = ["search", "m", "--readjust", "--algorithm", "longrope"] + Self.small.dropFirst(2)
    let first = try run(common + ["--target-length", "256", "-o", "short.json"])
    #expect(first.status == 0, "\(first.errors)")
    let second = try run(
      common + ["--target-length", "512", "--onto", "short.json", "-o", "bucket.json"])
    #expect(second.status == 0, "\(second.errors)")
    let (short, bucket) = try (
      JSONDocument(path: "\(folder.path)/short.json").value,
      JSONDocument(path: "\(folder.path)/bucket.json").value
    )
    #expect(
      short["short_factor"]?.doubles?.count == 16 && short["short_factor"]?.doubles?.last ?? 9 <= 5)
    #expect(
      bucket["short_factor"] == short["short_factor"]
        && bucket["long_factor"] == short["long_factor"])
    #expect(bucket["buckets"]?.elements?.first?["max_length"]?.integer == 512)
    let verified = try run(
      [
        "verify", "m", "--factors", "bucket.json", "--lengths", "256,512,1024", "--depths", "2",
        "--no-gates", "--json",
      ])
    #expect(verified.status == 0, "\(verified.errors)")
    #expect(try run(["apply", "short.json", "m", "-q"]).status == 0)
    #expect(try run(["apply", "bucket.json", "m", "-q"]).status == 4)
    #expect(try run(common + ["--target-length", "1024", "-o", "x.json"]).status == 3)
  }

  @Test func searchesBeginWithLogs() throws {
    let folder = try TemporaryDirectory()
    #expect(
      try search(
        Self.small + [
          "-o", "a.json", "--algorithm", "longrope", "--log", "a.log", "--csv", "a.csv",
        ], in: folder
      ).status == 0)
    let factors = try #require(
      JSONDocument(path: "\(folder.path)/a.json").value["long_factor"]?.doubles)
    // The format in which the published code logs its population.
    try folder.write(
      "published.json",
      "{\"iteration\": 3, \"population\": [[[\(factors.map { "\($0)" }.joined(separator: ","))], 34.5]], \"history\": []}"
    )
    for name in ["a.log", "a.csv", "published.json", "a.json"] {
      let result = try search(
        Self.small + [
          "-o", "\(name).found", "--algorithm", "longrope", "--initial", name, "--seed", "9",
          "--json",
        ],
        in: folder)
      let generations =
        try JSONDocument(parsing: Array(result.output.utf8)).value["generations"]?.elements ?? []
      let loss = try #require(
        JSONDocument(path: "\(folder.path)/a.json").value["provenance"]?["loss"]?.double)
      #expect(try #require(generations.first?["fitness"]?.double) <= exp(loss) + 1e-4, "\(name)")
    }
  }

  @Test func badInputIsNamed() throws {
    let folder = try TemporaryDirectory()
    func expect(_ status: Int32, _ words: String, _ arguments: [String]) throws {
      let result = try search(arguments, in: folder)
      #expect(
        result.status == status && result.errors.contains(words),
        "\(arguments): \(result.status) \(result.errors)")
      #expect(!FileSystem.exists("\(folder.path)/f.json"))
    }
    let out = ["-o", "f.json", "-q"]
    try folder.write("short.txt", "Call me Ishmael.")
    try folder.write("bad.json", "[1, 2, 99999]")
    try expect(3, "are needed", out + ["--target-length", "512", "--text", "short.txt"])
    try expect(3, "99999 is not a token", out + ["--target-length", "512", "--text", "bad.json"])
    try expect(3, "does not exceed the window of 256", out + ["--target-length", "256"])
    try expect(
      3, "critical pair 16", out + ["--target-length", "512", "--critical-dimension", "16"])
    try expect(
      3, "48 factors: expected 16",
      out + [
        "--target-length", "512", "--algorithm", "longrope", "--initial",
        Fixture.path("factors/phi-3-mini-128k-instruct.json"),
      ])
    try expect(2, "--target-length is missing", out)
    try expect(
      2, "cannot both be 0",
      out + ["--target-length", "512", "--mutants", "0", "--crossovers", "0"])
    try expect(5, "missing.txt", out + ["--target-length", "512", "--text", "missing.txt"])
    try folder.write("taken.json", "mine")
    try expect(4, "already exists", ["-o", "taken.json", "--target-length", "512"])
    // Checkpoints of another model, of changed texts, and damaged ones.
    let copy = try folder.copy("text/moby-dick-opening.txt", as: "t.txt")
    #expect(
      try search(
        Self.small.map { $0 == Self.text ? copy : $0 } + ["-o", "part.json", "--evaluations", "8"],
        in: folder
      ).status == 0)
    let other = try Program.run(
      ["search", Fixture.path("models/needle-256-x4"), "--resume", "part.json.checkpoint"] + out,
      in: folder.path)
    #expect(other.status == 3 && other.errors.contains("another model"), "\(other.errors)")
    let checkpoint = try FileSystem.contents(of: "\(folder.path)/part.json.checkpoint")
    var random = Seeded(5)
    for _ in 0..<25 {
      var damaged = checkpoint
      let place = Int.random(in: 0..<damaged.count, using: &random)
      damaged[place] = UInt8.random(in: 32..<127, using: &random)
      if Bool.random(using: &random) {
        damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
      }
      try folder.write("damaged", damaged)
      let result = try search(
        ["--resume", "damaged", "-o", "d.json", "-q", "--evaluations", "1"], in: folder)
      #expect(
        !result.wasKilled && [0, 3].contains(result.status),
        "\(place): \(result.status) \(result.errors)")
      try? FileManager.default.removeItem(atPath: "\(folder.path)/d.json")
    }
    try folder.write("t.txt", try FileSystem.contents(of: copy) + Array(" And more.".utf8))
    try expect(3, "'\(copy)' has changed", ["--resume", "part.json.checkpoint"] + out)
  }

  @Test func anInterruptedSearchKeepsItsCheckpoint() throws {
    let folder = try TemporaryDirectory()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments =
      ["search", Self.model, "-o", "\(folder.path)/f.json", "--algorithm", "longrope"]
      + Self.small.dropLast() + [
        "--iterations", "400", "-q",
      ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    let checkpoint = "\(folder.path)/f.json.checkpoint"
    for _ in 0..<600 where !FileSystem.exists(checkpoint) { usleep(50_000) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let next = try search(
      ["--resume", checkpoint, "-o", "g.json", "-q", "--evaluations", "30"], in: folder)
    #expect(next.status == 0, "\(next.errors)")
    #expect(try FileSystem.names(in: folder.path).allSatisfy { !$0.contains("lrpatch-tmp") })
  }

  @Test func formulasAndComparisonsWork() throws {
    let folder = try TemporaryDirectory()
    for method in ["pi", "yarn"] {
      let made = try Program.run(
        [
          "factors", "make", Self.model, "--method", method, "--target-length", "512", "-o",
          "\(method).json", "--svg",
          "\(method).svg",
        ],
        in: folder.path)
      #expect(made.status == 0 && made.output.contains("d_tcd"), "\(made.errors)")
      let svg = String(
        decoding: try FileSystem.contents(of: "\(folder.path)/\(method).svg"), as: UTF8.self)
      #expect(svg.hasPrefix("<svg") && svg.contains("polyline") && svg.contains("d_tcd"))
    }
    let compared = try Program.run(
      [
        "factors", "compare", Self.model, "none", "pi.json", "yarn.json", "--length", "512",
        "--documents", "4",
        "--text", Self.text, "--json",
      ],
      in: folder.path)
    let sets = try #require(
      JSONDocument(parsing: Array(compared.output.utf8)).value["sets"]?.elements)
    #expect(
      sets.count == 3 && sets[2]["verdict"]?.text == "better"
        && sets[0]["losses"]?.doubles?.count == 4)
    let none = try Program.run(
      ["factors", "make", Self.model, "--method", "pi", "--target-length", "100"], in: folder.path)
    #expect(none.status == 3 && none.errors.contains("does not exceed"))
  }
}
