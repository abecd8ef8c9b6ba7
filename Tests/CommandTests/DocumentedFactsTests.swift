import Convert
import Formats
import Foundation
import Inference
import Models
import Numerics
import Patch
import Search
import TestSupport
import Testing
import Verify

/// Facts that the documentation repeats, held to the code that knows them.
@Suite("Documented facts") struct DocumentedFactsTests {
  private static func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(Fixture.root)/\(name)", encoding: .utf8)
  }

  private static func json(_ name: String) throws -> JSONValue {
    try JSONDocument(path: "\(Fixture.root)/\(name)").value
  }

  // MARK: Lint rules

  @Test func theLintSchemaNamesEveryRule() throws {
    let finding = try Self.json("specs/lint.schema.json")["properties"]?["findings"]?["items"]
    let names = finding?["properties"]?["rule"]?["enum"]?.elements?.compactMap(\.text)
    #expect(names == LintRule.all.map(\.name))
  }

  @Test(arguments: LintRule.all.map(\.name)) func theLintSpecHasTheRule(_ name: String) throws {
    let rule = try #require(LintRule.all.first { $0.name == name })
    let lines = try Self.text("specs/lint.md").split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("| `\(name)` |") })
    #expect(line.contains("| \(rule.severity.rawValue) |"), "\(line)")
  }

  @Test(arguments: ["README.md", "CHANGELOG.md"]) func theNumberOfRulesIsRight(_ name: String)
    throws
  {
    let counts = try Self.text(name).matches(of: /(\d+) (?:named )?rules/).compactMap { Int($0.1) }
    #expect(!counts.isEmpty && counts.allSatisfy { $0 == LintRule.all.count }, "\(counts)")
  }

  // MARK: Schemas

  /// Each document that others read has its file in specs, and no file is left over.
  @Test func everyDocumentHasItsSchema() throws {
    let own: Set<DocumentSchema> = [.checkpoint, .journal, .undo]
    let names = DocumentSchema.allCases.filter { !own.contains($0) }.map(\.name)
    for name in names {
      let text = try Self.text("specs/\(name).schema.json")
      #expect(text.contains("\"lrpatch.\(name)/"), "\(name)")
    }
    let files = try FileSystem.names(in: "\(Fixture.root)/specs").filter {
      $0.hasSuffix(".schema.json")
    }
    #expect(Set(files) == Set(names.map { "\($0).schema.json" }))
  }

  /// Places in schemas that list the names of an enumeration.
  static let lists: [(schema: String, path: [String], names: [String])] = [
    (
      "search-log", ["$defs", "head", "properties", "algorithm"],
      AlgorithmName.allCases.map(\.rawValue)
    ),
    ("mix", ["properties", "positions"], MixPositions.allCases.map(\.rawValue)),
    (
      "inspect", ["$defs", "reading", "properties", "runtime"],
      ["paper"] + Runtime.allCases.map(\.rawValue)
    ),
    ("inspect", ["properties", "format"], [ModelFormat.folder, .gguf].map(\.rawValue)),
    (
      "verify", ["properties", "method", "properties", "precision"],
      Precision.allCases.map(\.rawValue)
    ),
    (
      "verify", ["properties", "method", "properties", "perplexity"],
      Perplexity.Method.allCases.map(\.rawValue)
    ),
    (
      "verify", ["properties", "method", "properties", "passkey_prompt"],
      Passkey.Style.allCases.map(\.rawValue)
    ),
    (
      "verify", ["properties", "method", "properties", "bos"],
      Tokenizer.Beginning.allCases.map(\.rawValue)
    ),
    (
      "verify", ["properties", "method", "properties", "cache"],
      CacheType.allCases.map(\.rawValue)
    ),
    (
      "verify", ["properties", "method", "properties", "cache_values"],
      CacheType.allCases.map(\.rawValue)
    ),
    (
      "verify", ["properties", "benchmarks", "items", "properties", "task"], Benchmark.names
    ),
    (
      "verify",
      [
        "properties", "benchmarks", "items", "properties", "scores", "items", "properties", "name",
      ],
      Benchmark.Score.allCases.map(\.rawValue)
    ),
    ("convert", ["properties", "type"], TensorType.allCases.map(\.rawValue)),
  ]

  @Test(arguments: lists.indices) func theSchemaListsTheNames(_ index: Int) throws {
    let (schema, path, names) = Self.lists[index]
    let place = try Self.json("specs/\(schema).schema.json").member(at: path)
    let listed = try #require(place["enum"]?.elements).compactMap(\.text)
    #expect(Set(listed) == Set(names) && !names.isEmpty, "\(schema): \(path)")
  }

  // MARK: Benchmarks

  /// specs/verification.md has a row for every benchmark, with its scores in their order.
  @Test(arguments: Benchmark.all) func theVerificationSpecHasTheBenchmark(
    _ benchmark: Benchmark
  ) throws {
    let rows = try Self.text("specs/verification.md").split(separator: "\n").filter {
      $0.hasPrefix("| ") && $0.contains("`\(benchmark.name)`")
    }
    let scores = benchmark.scores.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    #expect(rows.count == 1 && rows[0].contains("| \(scores) |"))
  }

  // MARK: Architectures

  /// The lists in the README's table of what works.
  static let architectures: [String] = [
    "folders of \(Architecture.list { $0.modelType != nil })",
    "folders and GGUF files of \(Architecture.list { $0.decoder != nil && $0.gguf != nil })",
    "folders of \(Architecture.list { $0.decoder != nil && $0.gguf == nil })",
    "| `convert`, both ways | \(Architecture.list(\.isConvertible)) |",
  ]

  @Test(arguments: architectures) func theReadmeListsTheArchitectures(_ list: String) throws {
    #expect(try Self.text("README.md").contains(list), "README.md lacks: \(list)")
  }

  /// specs/runtimes.md has a table of the GGUF architectures whose loader uses the factors.
  @Test func theRuntimesSpecListsArchitecturesThatTakeFactors() throws {
    let rows = try Self.text("specs/runtimes.md").split(separator: "\n").filter {
      $0.hasPrefix("| ")
    }
    let cells = rows.compactMap {
      $0.split(separator: "|").first?.trimmingCharacters(in: .whitespaces)
    }
    let listed = Set(cells.flatMap { $0.components(separatedBy: ", ") })
    let names = Architecture.all.filter(\.takesFactorsInGGUF).compactMap { $0.gguf?.name }
    #expect(Set(names).subtracting(listed).isEmpty, "\(Set(names).subtracting(listed))")
  }

  // MARK: Exit codes

  /// specs/cli.md has one row for each exit code of the help.
  @Test func theCommandLineSpecHasTheExitCodes() throws {
    let help = try Self.text("Tests/CommandTests/Golden/help/lrpatch.txt")
      .split(separator: /\s+/).joined(separator: " ")
    let list = try #require(help.firstMatch(of: /Exit codes: ([^.]*)\./)).1
    let codes = list.split(separator: "; ").map { $0.prefix { $0.isNumber } }
    let spec = try Self.text("specs/cli.md")
    let section = try #require(spec.components(separatedBy: "## Exit codes").last)
      .components(separatedBy: "\n## ")[0]
    let rows = section.matches(of: /(?m)^\| (\d+) \|/).map(\.1)
    #expect(!codes.isEmpty && rows == codes)
  }

  // MARK: Runtimes

  @Test(arguments: Runtime.allCases) func theRuntimeIsDocumented(_ runtime: Runtime) throws {
    #expect(try Self.text("specs/runtimes.md").contains(runtime.title))
    #expect(try Self.text("Tests/CommandTests/Golden/help/verify.txt").contains(runtime.rawValue))
  }

  // MARK: Element types

  /// specs/gguf.md has a table of two types a line: number, name, elements and bytes of a block.
  @Test func theGGUFSpecListsEveryElementType() throws {
    let spec = try Self.text("specs/gguf.md")
    for type in ElementType.all {
      guard let number = type.ggmlNumber, let block = type.block else { continue }
      let row = "| \(number) | \(type.name) | \(block.elements) | \(block.bytes) |"
      #expect(spec.contains(row), "specs/gguf.md lacks: \(row)")
    }
  }
}
