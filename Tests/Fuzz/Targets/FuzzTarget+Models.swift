import Convert
import Formats
import Inference
import Models
import Patch

extension FuzzTarget {
  /// Texts with what tokenizers treat differently.
  private static let texts = [
    "", "Hello world", "  a  b\n\n\tc 123 4567", "É é 日本語 \u{301}\u{200D}👩‍👩‍👧", "<s>[INST] x</s>",
    String(repeating: "a", count: 200),
  ]

  private static func useTokenizer(at path: String) {
    guard let tokenizer = try? Tokenizer(path: path) else { return }
    for text in texts {
      let ids = tokenizer.encode(text)
      _ = tokenizer.encodeContinuation(text)
      _ = tokenizer.decode(ids)
    }
  }

  static func readTokenizer(_ bytes: [UInt8]) {
    FuzzBench.shared.put(bytes, "tokenizer/tokenizer.json")
    useTokenizer(at: FuzzBench.shared.path("tokenizer"))
  }

  static func readConfig(_ bytes: [UInt8]) {
    FuzzBench.shared.put(bytes, "config/config.json")
    inspect(FuzzBench.shared.path("config"))
  }

  /// Everything that reads a model, and the plan of a patch.
  private static func inspect(_ path: String) {
    guard let session = try? ModelSession(path: path, exclusive: false) else { return }
    _ = try? Inspection(session)
    _ = try? Lint.findings(session)
    for factors in FuzzBench.shared.factors {
      let apply = Apply(factors, factorsSHA256: "", version: "fuzz", options: ApplyOptions())
      _ = try? apply.plan(for: session)
    }
  }

  static func readGGUFModel(_ bytes: [UInt8]) {
    let path = FuzzBench.shared.put(bytes, "gguf/m.gguf")
    guard let file = try? GGUFFile(path: path) else { return }
    for key in file.header.keys.prefix(64) {
      _ = try? file.strings(key.name)
      _ = file.integers(key.name)
    }
    for tensor in file.header.tensors.prefix(8) {
      _ = TensorStatistics(type: tensor.type, file.dataRange(of: tensor), of: file.map)
    }
    inspect(path)
    useTokenizer(at: path)
    guard let session = try? ModelSession(path: path, exclusive: true) else { return }
    var revert = Revert()
    revert.force = true
    _ = try? revert.perform(in: session)
  }

  static func readFactors(_ bytes: [UInt8]) throws(FuzzFinding) {
    let path = FuzzBench.shared.put(bytes, "factors/f")
    guard let set = try? FactorSource(path: path).set else { return }
    try FuzzFinding.require(
      (try? FactorSet(json: set.json, subject: "")) == set, "what is written can be read")
    if set.hasMoreThanCSV == false {
      try FuzzFinding.require(
        (try? FactorSet(csv: set.csv, subject: "")) == set, "what is written as CSV can be read")
    }
    let apply = Apply(set, factorsSHA256: "", version: "fuzz", options: ApplyOptions())
    for model in ["models/folder", "models/m.gguf"] {
      guard let session = try? ModelSession(path: FuzzBench.shared.path(model), exclusive: false)
      else { continue }
      _ = try? apply.plan(for: session)
    }
  }

  /// The templates of a folder come back from the keys of a GGUF file.
  static func readChat(_ bytes: [UInt8]) throws(FuzzFinding) {
    FuzzBench.shared.put(bytes, "chat/tokenizer_config.json")
    guard let templates = try? ChatTemplates(folder: FuzzBench.shared.path("chat")) else { return }
    let keys = templates.keys
    guard Set(keys.map(\.name)).count == keys.count,
      keys.allSatisfy({ $0.name.utf8.count < 60_000 })
    else { return }
    let nowhere: [UInt8] = []
    let encoded = GGUFHeader(keys: keys, tensors: []).encoded(arraysIn: nowhere.rawSpan)
    guard let header = try? GGUFHeader(parsing: encoded.rawSpan) else {
      throw FuzzFinding("what is written can be read")
    }
    try FuzzFinding.require(ChatTemplates(header).keys == keys, "templates stay")
    for file in ChatTemplates(header).files {
      let folders = file.name.split(separator: "/", omittingEmptySubsequences: false)
      try FuzzFinding.require(
        folders.count <= 2 && !folders.contains(".."), "a template stays in its folder")
    }
  }
}
