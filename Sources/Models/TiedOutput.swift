import Formats

extension ModelFile {
  /// Whether the config ties the output matrix to the embeddings, as transformers understands it.
  package var isTied: Bool { tieMember ?? architecture.tiesByDefault }

  /// `tie_word_embeddings`, which a multimodal model may have at its top level only.
  private var tieMember: Bool? {
    guard case .folder(let folder) = self else { return nil }
    let name = "tie_word_embeddings"
    return folder.textConfig[name]?.flag ?? folder.config.value[name]?.flag
  }

  /// Refuses a `tie_word_embeddings` that is neither true nor false, as transformers does.
  package func requireTieMember() throws(ModelError) {
    guard case .folder(let folder) = self,
      let value = folder.textConfig["tie_word_embeddings"], value.flag == nil
    else { return }
    throw .unsupported(
      "\(path)/\(ModelFolder.configName)",
      "'tie_word_embeddings' is \(value.kind), expected true or false")
  }

  /// How each runtime departs from the model, whose output matrix is its own if it has one.
  /// - Parameter hasOutput: whether the model has an output matrix.
  package func deviations(hasOutput: Bool) -> [Runtime: [DecoderLayer.Deviation]] {
    var deviations = architecture.decoder?.deviations ?? [:]
    for runtime in Runtime.allCases where runtime.engine != runtime {
      deviations[runtime, default: []] += deviations[runtime.engine] ?? []
    }
    guard hasOutput, format == .folder else { return deviations }
    for runtime in Runtime.ofFolders where ties(runtime) {
      deviations[runtime, default: []].append(.tiedOutput)
    }
    return deviations
  }

  /// Whether a runtime uses the embeddings although there is an output matrix.
  ///
  /// transformers 5 compares the two and never ties them if they differ.
  private func ties(_ runtime: Runtime) -> Bool {
    switch runtime.engine {
    case .transformers5, .llamaCpp: false
    case .mlx:
      architecture.mlx.tiesByDefault.map { tieMember ?? $0 } ?? false
    default: isTied
    }
  }
}
