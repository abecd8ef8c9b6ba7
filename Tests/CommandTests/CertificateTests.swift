import Formats
import Foundation
import TestSupport
import Testing

/// Certificates: written, repeated, and refused once anything has changed.
@Suite("Certificates") struct CertificateTests {
  private static let certificate = Fixture.path("certificates/needle-256-x4.intoto.json")
  private static let text = Fixture.path("text/moby-dick-opening.txt")

  /// A folder with the patched model of the committed certificate.
  private func patched() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "model")
    let factors = Fixture.path("models/needle-256-x4.factors.json")
    #expect(try run("apply", factors, "model", "-q", in: folder).status == 0)
    return folder
  }

  private func run(_ arguments: String..., in folder: TemporaryDirectory) throws -> Program.Result {
    try Program.run(arguments, in: folder.path)
  }

  private func replay(
    _ arguments: String..., certificate: String = certificate, in folder: TemporaryDirectory
  ) throws -> Program.Result {
    try Program.run(
      ["certify", "--replay", certificate, "model", "-q"] + arguments, in: folder.path)
  }

  @Test func theCommittedCertificateReplays() throws {
    let folder = try patched()
    let whole = try replay("--input", Self.text, in: folder)
    #expect(whole.status == 0, "\(whole.output)\(whole.errors)")
    #expect(whole.output.contains("the certificate holds: passkey>=0.9, perplexity@1k<=40"))
    #expect(whole.output.contains("tolerance: perplexities 0.1 %"))
    let part = try replay("--input", Self.text, "--sample", "2", "--json", in: folder)
    let value = try JSONDocument(parsing: Array(part.output.utf8)).value
    let compared = try #require(value["compared"]?.integer)
    #expect(part.status == 0 && value["holds"]?.flag == true && compared >= 2)
    try checkSchemas([try folder.write("replay.json", part.output)])
    // The same seed chooses the same pieces.
    let seed = try #require(value["sample_seed"]?.integer)
    let again = try replay(
      "--input", Self.text, "--sample", "2", "--sample-seed", "\(seed)", "--json", in: folder)
    #expect(again.output == part.output)
  }

  @Test func aChangedWeightFails() throws {
    let folder = try patched()
    let path = "\(folder.path)/model/model.safetensors"
    var bytes = try FileSystem.contents(of: path)
    bytes[bytes.count - 2] ^= 1
    try folder.write("model/model.safetensors", bytes)
    let result = try replay("--input", Self.text, in: folder)
    #expect(result.status == 1)
    #expect(
      result.output.contains(
        "the certificate does not hold:\n  model.safetensors: has other bytes, SHA-256 "),
      "\(result.output)")
    #expect(!result.output.contains("factor"))
  }

  @Test func aChangedFactorFails() throws {
    let folder = try patched()
    let path = "\(folder.path)/model/config.json"
    let config = try String(contentsOfFile: path, encoding: .utf8)
    let document = try JSONDocument(path: path).value
    let rope = try #require(document["rope_scaling"] ?? document["rope_parameters"])
    let factor = try #require(rope["long_factor"]?.doubles?.last)
    try folder.write(
      "model/config.json", config.replacingOccurrences(of: "\(factor)", with: "9.75"))
    let result = try replay("--input", Self.text, in: folder)
    #expect(result.status == 1 && result.output.contains("config.json: has other bytes"))
    #expect(
      result.output.contains("long factor of pair "), "\(result.output)")
    #expect(result.output.contains("9.75, the certificate says "), "\(result.output)")
  }

  @Test func aChangedTextFails() throws {
    let folder = try patched()
    try folder.write("text.txt", String(contentsOfFile: Self.text, encoding: .utf8) + "!")
    let other = try replay(in: folder)
    #expect(other.status == 1)
    #expect(other.output.contains("text.txt: has other bytes, SHA-256 "), "\(other.output)")
    try FileManager.default.removeItem(atPath: "\(folder.path)/text.txt")
    let absent = try replay(in: folder)
    #expect(absent.status == 1 && absent.output.contains("text.txt: is not here; name a file"))
  }

  @Test func aBetterNumberInACertificateFails() throws {
    let folder = try patched()
    var statement = try String(contentsOfFile: Self.certificate, encoding: .utf8)
    let value = try #require(statement.firstMatch(of: /"perplexity": (\d+)\./)).1
    statement.replace("\"perplexity\": \(value).", with: "\"perplexity\": 1.")
    let path = try folder.write("better.json", statement)
    let result = try replay("--input", Self.text, certificate: path, in: folder)
    #expect(result.status == 1)
    #expect(result.output.contains("the certificate says 1."), "\(result.output)")
  }

  @Test func certifiesAResultOfTheseFiles() throws {
    let folder = try patched()
    let verify = [
      "verify", "model", "--lengths", "128,256", "--depths", "2", "--samples", "1", "--runtime",
      "vllm", "-q", "-o", "result.json",
    ]
    #expect(try Program.run(verify, in: folder.path).status == 0)
    let made = try run("certify", "model", "--result", "result.json", "--json", "-q", in: folder)
    #expect(made.status == 0, "\(made.errors)")
    try checkSchemas([try folder.write("made.json", made.output)])
    let path = "\(folder.path)/model/certificate.intoto.json"
    let statement = try JSONDocument(path: path).value
    #expect(statement["_type"]?.text == "https://in-toto.io/Statement/v1")
    let predicate = try #require(statement["predicate"])
    #expect(predicate["result"]?.text == "PASSED")
    #expect(predicate["passedTests"]?.elements?.map(\.text) == ["passkey>=0.9"])
    let subjects = try #require(statement["subject"]?.elements)
    #expect(subjects.contains { $0["name"]?.text == "model.safetensors" })
    let card = try String(contentsOfFile: "\(folder.path)/model/README.md", encoding: .utf8)
    #expect(card.contains("model-index:") && card.contains("passkey at 256 tokens"))
    // It is written again, and a card's change does not make it invalid.
    let again = try run("certify", "model", "--result", "result.json", in: folder)
    #expect(again.status == 0 && !again.errors.contains("will be invalid"), "\(again.errors)")
    #expect(try replay(certificate: path, in: folder).status == 0)
    // A claim that does not hold is not certified.
    try FileManager.default.removeItem(atPath: path)
    let failed = try run(
      "certify", "model", "--result", "result.json", "--require",
      "passkey@128>=0.9,passkey@256<=0.5",
      in: folder)
    #expect(failed.status == 1 && failed.errors.contains("passkey@256<=0.5: does not hold"))
    #expect(!FileSystem.exists(path))
  }

  @Test func refusesWhatCannotBeRepeated() throws {
    let folder = try patched()
    try folder.copy("models/needle-256", as: "other")
    let common = ["--lengths", "128", "--depths", "2", "--samples", "1", "--runtime", "vllm", "-q"]
    for (name, arguments) in [
      ("ungated", ["model", "--no-gates"]), ("part", ["model", "--shard", "1/2"]),
      ("foreign", ["other"]), ("baseline", ["model", "--against", "other", "--windows", "1"]),
    ] {
      let run = try Program.run(
        ["verify"] + arguments + common + ["-o", "\(name).json"], in: folder.path)
      #expect(run.status == 0, "\(run.errors)")
    }
    for (name, problem) in [
      ("ungated", "claims nothing"), ("part", "is a part of a grid"),
      ("foreign", "was measured on other files"), ("baseline", "was compared with another model"),
    ] {
      let result = try run("certify", "model", "--result", "\(name).json", in: folder)
      #expect(result.status == 3 && result.errors.contains(problem), "\(result.errors)")
    }
    try folder.write("text.json", "{}")
    let text = try replay(certificate: "\(folder.path)/text.json", in: folder)
    #expect(text.status == 3 && text.errors.contains("not a certificate"), "\(text.errors)")
    for (arguments, problem) in [
      (["certify", "model"], "--result is missing"),
      (["certify", "model", "--result", "x", "--sample", "3"], "--sample needs --replay"),
      (["certify", "model", "--replay", "x", "--no-card"], "--no-card and --replay exclude"),
      (["certify", "model", "--replay", "x", "--sample", "0"], "from 1 to 1000000"),
    ] {
      let result = try Program.run(arguments, in: folder.path)
      #expect(result.status == 2 && result.errors.contains(problem), "\(result.errors)")
    }
    let kept = try run(
      "certify", "model", "--result", "ungated.json", "--require", "passkey>=0", "-o", "part.json",
      in: folder)
    #expect(kept.status == 4 && kept.errors.contains("is not a certificate"), "\(kept.errors)")
  }
}
