import Formats
package import Models

extension ModelFolder {
  /// The folder with the factors in its configs, in memory.
  ///
  /// Nothing is written.
  /// - Throws: `ModelError` or `FormatError`.
  package func patched(
    with factors: ModelFactors, options: ApplyOptions, mark: PatchMark
  ) throws -> ModelFolder {
    let plan = try ConfigEdits(model: self, factors: factors, options: options, mark: mark).plan()
    func edited(_ name: String) throws -> JSONDocument? {
      let edit = plan.edits.first { $0.name == name }
      guard case .contents(_, let text?)? = edit?.action else { return nil }
      return try JSONDocument(parsing: text)
    }
    return try ModelFolder(
      self, config: edited(Self.configName) ?? config,
      tokenizerConfig: edited(Self.tokenizerConfigName))
  }
}
