/// An entry of the library that reads files of others, as a function of bytes.
///
/// `lrpatch-fuzz` gives inputs to it under libFuzzer. `FuzzCorpusTests` gives it the inputs that were
/// found.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// The header of a GGUF file.
  case gguf
  /// A GGUF file as a model: inspected, linted, patched, reverted, its vocabulary.
  case ggufModel = "gguf-model"
  /// A safetensors file.
  case safetensors
  /// model.safetensors.index.json beside two shards.
  case index
  /// A JSON text, and edits of it.
  case json
  /// A file of factors in any form.
  case factors
  /// config.json of a folder: inspected, linted, patched.
  case config
  /// tokenizer.json of a folder, and some texts.
  case tokenizer
  /// The undo record of a folder and of a GGUF file, before its compression or after.
  case undo
  /// The journal of an interrupted change, without its checksum.
  case journal
  /// A saved result of verify, and all reports of it.
  case result
  /// A checkpoint of a search, without its checksum.
  case checkpoint
  /// A model card.
  case card
  /// tokenizer_config.json of a folder: its chat templates.
  case chat

  /// Reads an input.
  ///
  /// What the readers throw is expected.
  /// - Throws: `FuzzFinding` if a reader does not keep a promise.
  package func read(_ bytes: [UInt8]) throws(FuzzFinding) {
    switch self {
    case .gguf: try Self.readGGUF(bytes)
    case .ggufModel: Self.readGGUFModel(bytes)
    case .safetensors: try Self.readSafetensors(bytes)
    case .index: Self.readIndex(bytes)
    case .json: try Self.readJSON(bytes)
    case .factors: try Self.readFactors(bytes)
    case .config: Self.readConfig(bytes)
    case .tokenizer: Self.readTokenizer(bytes)
    case .undo: try Self.readUndo(bytes)
    case .journal: try Self.readJournal(bytes)
    case .result: try Self.readResult(bytes)
    case .checkpoint: Self.readCheckpoint(bytes)
    case .card: try Self.readCard(bytes)
    case .chat: try Self.readChat(bytes)
    }
  }
}

/// A promise that a reader did not keep.
package struct FuzzFinding: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }

  /// - Throws: the finding if the promise is broken.
  static func require(_ isKept: Bool, _ promise: String) throws(FuzzFinding) {
    guard isKept else { throw FuzzFinding(promise) }
  }
}
