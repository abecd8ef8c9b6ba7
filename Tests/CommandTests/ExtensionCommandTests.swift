import Formats
import Foundation
import TestSupport
import Testing

/// The command `verify` with methods that extend a model without factors.
@Suite("Extensions without factors, as a command") struct ExtensionCommandTests {
  private static let extensions = ["--self-extend", "8,128", "--dynamic-ntk"]

  /// A patched model gives the same rows as the original does with these factors.
  @Test func measuresExtensionsLikeRuntimes() throws {
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
}
