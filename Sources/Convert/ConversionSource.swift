import Formats
import Models

/// The model to convert, with its tensors.
struct ConversionSource: Sendable {
  let model: ModelFile
  let tensors: ModelTensors

  var path: String { model.path }

  /// Opens all weight files.
  /// - Throws: `FileError`, `FormatError` or `ModelError`.
  init(_ model: ModelFile) throws {
    self.model = model
    tensors = try ModelTensors(model)
  }
}
