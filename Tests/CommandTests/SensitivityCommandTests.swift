import Formats
import Foundation
import TestSupport
import Testing

/// Runs `factors sensitivity` as a process, on the trained fixture model.
@Suite("Sensitivity command") struct SensitivityCommandTests {
  @Test func sensitivityShowsWhichPairsMatter() throws {
    let folder = try TemporaryDirectory()
    let made = try Program.run(
      [
        "factors", "make", SearchCommandTests.model, "--method", "yarn", "--target-length", "512",
        "-o", "y.json",
      ],
      in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    let command = [
      "factors", "sensitivity", SearchCommandTests.model, "y.json", "--length", "512",
      "--documents", "3",
      "--text", SearchCommandTests.text,
    ]
    let text = try Program.run(command + ["--svg", "s.svg"], in: folder.path)
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.output.contains("pairs up to ") && text.output.contains("most by pair"))
    let svg = String(decoding: try FileSystem.contents(of: "\(folder.path)/s.svg"), as: UTF8.self)
    #expect(svg.hasPrefix("<svg") && svg.contains("raises perplexity by 0.1 %"))
    let json = try Program.run(command + ["--json"], in: folder.path)
    let value = try JSONDocument(parsing: Array(json.output.utf8)).value
    let pairs = try #require(value["pairs"]?.elements)
    let layers = try #require(value["layers"]?.elements)
    #expect(pairs.count == 16 && !layers.isEmpty)
    // The slope of a factor is the sum of its slopes in all layers.
    for (index, pair) in pairs.enumerated() {
      let sum = layers.reduce(0) { $0 + ($1.elements?[index].double ?? .nan) }
      #expect(abs(sum - (pair["slope"]?.double ?? .nan)) < 1e-9)
    }
    // The slowest pairs may be anything, the fast ones may not.
    let room = try #require(pairs[2]["room_up"]?.double)
    #expect(room < 0.05 && (pairs[15]["room_up"]?.double ?? 1) > 0.1)
  }
}
