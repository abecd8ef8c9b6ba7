import Formats
import Foundation
import Patch
import TestSupport

/// The files among which the targets put their inputs, in a temporary folder.
///
/// `TMPDIR` says where it lies; a memory file system is ten times as fast.
package final class FuzzBench: Sendable {
  static let shared: FuzzBench = {
    do { return try FuzzBench() } catch { preconditionFailure("\(error)") }
  }()

  private let folder: String
  /// Factors that fit models of 16 and of 48 pairs.
  let factors: [FactorSet]
  /// A model that carries the first of these factors, as a file.
  let patched: [UInt8]
  /// The undo records of the patched file and of the patched folder, as JSON.
  let records: [[UInt8]]
  /// Journals of the patched file and of the patched folder.
  let journals: [[UInt8]]
  private let config: [UInt8]
  private static let victim = Array("precious".utf8)

  private init() throws {
    folder = "\(NSTemporaryDirectory())lrpatch-fuzz-\(getpid())"
    try? FileSystem.removeTree(folder)
    for name in [
      "sharded", "tokenizer", "config", "gguf", "factors", "chat", "models/folder",
      "records/folder/.lrpatch",
    ] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    factors = try [16, 48].map { pairs in
      let text = Array(ModelBuilder.factors(pairs: pairs).utf8)
      return try FactorSet(json: JSONDocument(parsing: text).value, subject: "")
    }
    let model = GGUFBuilder.llama().floats("a", [1]).bytes
    let plain = Array(ModelBuilder.config("llama", isV5: false).utf8)
    let patch = try Patched(model: model, config: plain, factors[0], in: "\(folder)/models")
    (patched, config, records) = (patch.model, patch.config, patch.records)
    journals = try patch.journals(original: model)
    for number in 1...2 {
      let name = "model-0000\(number)-of-00002.safetensors"
      put(try Fixture.bytes("safetensors/sharded/\(name)"), "sharded/\(name)")
    }
    put(Array(#"{"bos_token_id": 1, "eos_token_id": 2}"#.utf8), "tokenizer/config.json")
    put(plain, "models/folder/config.json")
    put(model, "models/m.gguf")
    put(Self.victim, "victim")
    put(Self.victim, "records/victim")
    put(patched, "records/m.gguf")
    resetFolder()
  }

  /// Removes the temporary folder.
  package static func cleanUp() { try? FileSystem.removeTree(shared.folder) }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Writes a file, in place of an older one.
  @discardableResult func put(_ bytes: [UInt8], _ name: String) -> String {
    let file = path(name)
    let descriptor = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { preconditionFailure("\(file) cannot be written") }
    defer { close(descriptor) }
    precondition(write(descriptor, bytes, bytes.count) == bytes.count)
    return file
  }

  func remove(_ name: String) { unlink(path(name)) }

  /// Makes the folder of the records as it was.
  func resetFolder() {
    put(config, "records/folder/config.json")
    let names = (try? FileSystem.names(in: path("records/folder"))) ?? []
    for name in names where name != "config.json" && name != ".lrpatch" {
      try? FileSystem.removeTree(path("records/folder/\(name)"))
    }
    mkdir(path("records/folder/.lrpatch"), 0o755)
    for name in (try? FileSystem.names(in: path("records/folder/.lrpatch"))) ?? [] {
      remove("records/folder/.lrpatch/\(name)")
    }
  }

  /// - Throws: `FuzzFinding` if a file outside the models was changed, made or removed.
  func requireOnlyModels() throws(FuzzFinding) {
    for name in ["victim", "records/victim"] {
      try FuzzFinding.require(
        (try? FileSystem.contents(of: path(name))) == Self.victim, "files of others stay")
    }
    let outside = (try? FileSystem.names(in: path("records"))) ?? []
    let known: Set = ["folder", "victim", "m.gguf", ".m.gguf.lrpatch-journal"]
    try FuzzFinding.require(
      outside.allSatisfy { known.contains($0) }, "nothing appears next to the model: \(outside)")
  }
}

/// What an apply leaves of a small model.
private struct Patched {
  var model: [UInt8]
  var config: [UInt8]
  var records: [[UInt8]]

  /// - Parameter folder: where the model is patched, and then removed.
  init(model: [UInt8], config: [UInt8], _ factors: FactorSet, in folder: String) throws {
    // Random digits make the record larger than what the fuzzer makes of it.
    var random = Seeded(1)
    let version = (0..<100).map { _ in String(random.next() % 16, radix: 16) }.joined()
    let file = "\(folder)/patched.gguf"
    try FileManager.default.createDirectory(
      atPath: "\(folder)/patched", withIntermediateDirectories: true)
    try Data(model).write(to: URL(fileURLWithPath: file))
    try Data(config).write(to: URL(fileURLWithPath: "\(folder)/patched/config.json"))
    for path in [file, "\(folder)/patched"] {
      let session = try ModelSession(path: path, exclusive: true)
      let apply = Apply(factors, factorsSHA256: "", version: version, options: ApplyOptions())
      try apply.perform(apply.plan(for: session), in: session)
    }
    self.model = try FileSystem.contents(of: file)
    self.config = try FileSystem.contents(of: "\(folder)/patched/config.json")
    let bytes = self.model
    guard
      case .array(let record)? = try GGUFHeader(parsing: bytes.rawSpan)[key: UndoRecord.key]
    else { throw FuzzFinding("a patched file has a record") }
    records = try [
      record.encodedElements(in: bytes.rawSpan),
      FileSystem.contents(of: "\(folder)/patched/.lrpatch/0001.undo"),
    ].map { record in
      let text = String(decoding: try Zstd.decompress(record, limit: 1 << 20), as: UTF8.self)
      return Array(text.replacingOccurrences(of: version, with: "1").utf8)
    }
    try FileSystem.removeTree(file)
    try FileSystem.removeTree("\(folder)/patched")
  }

  /// What the apply's own journals said, and one of a file that was copied.
  /// - Parameter original: the file before the apply.
  func journals(original: [UInt8]) throws -> [[UInt8]] {
    let files = try JSONDocument(parsing: records[0]).value["files"]?.elements ?? []
    guard let undoing = files.first?["layout"], let cut = undoing["cutTo"]?.integer else {
      throw FuzzFinding("the record of a file has a layout")
    }
    let moved = undoing["resize"]?["collapse"]
    let layout = JSONValue.object(
      [
        JSONMember("cutTo", .number(cut - (moved?["count"]?.integer ?? 0))),
        JSONMember("oldSize", .number(original.count)), JSONMember("writes", .array([])),
      ] + (moved.map { [JSONMember("resize", .object(["insert": $0]))] } ?? []))
    let edit = JSONValue.object([
      "layout": .object([
        "_0": layout, "inverse": undoing, "inode": .number(1),
        "holes": .array([.object(["offset": .number(0), "count": .number(0)])]),
      ])
    ])
    let swap = JSONValue.object([
      "swapped": .object([
        "temporary": .string(".m.gguf.lrpatch-tmp-1"), "backup": .string(".m.gguf.lrpatch-old"),
      ])
    ])
    let old = JSONValue.string(Data(config).base64EncodedString())
    return [
      [("m.gguf", edit)], [("m.gguf", swap)],
      [
        ("config.json", .object(["contents": .object(["old": old])])),
        (".lrpatch/0001.undo", .object(["contents": .object([])])),
      ],
    ].map { (entries: [(String, JSONValue)]) in
      JSONStyle.compact.encode(
        .object([
          "files": .array(
            entries.map { .object(["name": .string($0.0), "action": $0.1]) }),
          "isCommitted": .bool(false), "schema": DocumentSchema.journal.json,
        ]))
    }
  }
}
