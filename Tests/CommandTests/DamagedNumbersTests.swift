import Formats
import Foundation
import TestSupport
import Testing

/// Numbers in files that a computation would carry beyond every whole number.
@Suite("Damaged numbers") struct DamagedNumbersTests {
  private static let seeds = Fixture.root + "/Tests/Fuzz/Seeds"

  @Test func aFactorBeyondEveryWindowIsRefused() throws {
    let result = try Program.run([
      "factors", "show", "\(Self.seeds)/factors/factor-beyond-every-window.json",
    ])
    #expect(result.status == 3 && !result.wasKilled, "\(result.errors)")
  }

  @Test func aDynamicFactorBeyondEveryWindowStopsNoInspection() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      "m/config.json",
      FileSystem.contents(of: "\(Self.seeds)/config/dynamic-factor-beyond-every-window.json"))
    for command in ["inspect", "lint"] {
      let result = try Program.run([command, "m"], in: folder.path)
      #expect(!result.wasKilled && [0, 1].contains(result.status), "\(result.errors)")
    }
    let inspected = try Program.run(["inspect", "m", "--json"], in: folder.path)
    #expect(inspected.output.contains("no number can say"))
  }

  @Test func aDurationBelowZeroIsRefused() throws {
    let folder = try TemporaryDirectory()
    let result = try Program.run(
      ["report", "\(Self.seeds)/result/seconds-below-every-number.json", "--html", "r.html"],
      in: folder.path)
    #expect(result.status == 3 && result.errors.contains("'seconds'"), "\(result.errors)")
  }

  /// A search adds to the counts of its checkpoint, and looks up the units that it names.
  @Test(arguments: ["\"tokens\":", "\"unit\":"]) func aCountThatCannotGrowIsRefused(
    _ member: String
  ) throws {
    let folder = try TemporaryDirectory()
    let path = Fixture.path("patched/0.1.0/search.checkpoint")
    let text = try #require(
      String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first.map(String.init))
    let pending =
      #""pending":[{"candidate":CANDIDATE,"result":{"logFactors":[],"logMscale":0,"loss":1},"unit":0}],"#
    let candidate = try #require(text.firstMatch(of: /"candidate":(\{[^}]*\})/)?.1)
    let full =
      text.contains("\"pending\"")
      ? text
      : text.replacingOccurrences(
        of: "\"state\":{",
        with: "\"state\":{" + pending.replacingOccurrences(of: "CANDIDATE", with: candidate))
    let damaged = full.replacing(
      try Regex("\(member)[0-9]+"), with: "\(member)\(Int.max)")
    #expect(damaged != full)
    try folder.write("c", damaged + "\n" + sha256(Array(damaged.utf8)) + "\n")
    let result = try Program.run(
      ["search", Fixture.path("models/needle-256-x4"), "--resume", "c", "-o", "f.json"],
      in: folder.path)
    #expect(result.status == 3 && result.errors.contains("damaged"), "\(result.errors)")
  }
}
