import Formats
import Foundation
import Models
import TestSupport
import Testing

@testable import Patch

/// What every runtime reads from the tiny models in fixtures/architectures, patched and not, as one
/// table.
///
/// `make conformance` compares such readings with the runtimes' own code. `LRPATCH_RECORD=1` writes
/// the table again; read the difference before you commit it.
@Suite("Runtime readings") struct RuntimeReadingTests {
  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden/readings.txt").path

  private static func models() throws -> [String] {
    try FileSystem.names(in: Fixture.path("architectures")).sorted().filter { name in
      !name.hasSuffix(".json")
        && (try? ModelFile(path: Fixture.path("architectures/\(name)"))) != nil
    }
  }

  @Test func areAsRecorded() throws {
    var lines: [String] = []
    for name in try Self.models() {
      lines.append("\(name)")
      lines += try Self.rows(of: Fixture.path("architectures/\(name)"))
      let stem = name.hasSuffix(".gguf") ? String(name.dropLast(5)) : name
      let factors = Fixture.path("architectures/\(stem).factors.json")
      guard FileSystem.exists(factors) else { continue }
      lines.append("\(name), with its factors")
      lines += try Self.patchedRows(name, factors)
    }
    let text = lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["LRPATCH_RECORD"] == "1" {
      try text.write(toFile: Self.golden, atomically: true, encoding: .utf8)
    }
    let expected = try String(contentsOfFile: Self.golden, encoding: .utf8)
    let pairs = zip(text.split(separator: "\n"), expected.split(separator: "\n"))
    for (line, golden) in pairs where line != golden { Issue.record("\(line), expected \(golden)") }
    #expect(text.count == expected.count)
  }

  private static func patchedRows(_ name: String, _ factors: String) throws -> [String] {
    let place = try TemporaryDirectory()
    let path = try place.copy("architectures/\(name)")
    let source = try FactorSource(path: factors)
    var options = ApplyOptions()
    options.allowDivergent = true
    let apply = Apply(source.set, factorsSHA256: "", version: "test", options: options)
    do {
      let session = try ModelSession(path: path, exclusive: true)
      try apply.perform(apply.plan(for: session), in: session)
    } catch let error as ModelError {
      return ["  refused: \(error.message)"]
    }
    return try rows(of: path)
  }

  private static func rows(of path: String) throws -> [String] {
    try Inspection(ModelSession(path: path, exclusive: false)).readings.map { reading in
      "  \(reading.name) \(reading.status.rawValue); short \(table(reading.short)); long \(table(reading.long))"
        + "; \(reading.switching.isEmpty ? "one table" : reading.switching)"
        + (reading.notes.isEmpty ? "" : "; \(reading.notes.joined(separator: "; "))")
    }
  }

  /// Name, mscale, and the fastest and the slowest pair's frequency.
  private static func table(_ used: UsedTable?) -> String {
    guard let used else { return "none" }
    let ends = [used.inverseFrequencies?.first, used.inverseFrequencies?.last].compactMap { $0 }
    let numbers = ([used.mscale] + ends).map { String(format: "%.6g", $0) }
    return "\(used.name) x \(numbers.joined(separator: " "))"
  }
}
