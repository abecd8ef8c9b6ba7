import Formats
import Inference
import Models
public import Patch

/// What would keep a folder from becoming a GGUF file, found without reading its matrices.
public enum ConversionCheck {
  /// A finding if the folder can be run but not converted as it stands.
  public static func findings(_ session: borrowing ModelSession) -> [LintFinding] {
    guard let model = try? session.open(), case .folder(let folder) = model,
      folder.architecture.convertsToGGUF, (try? Transformer(model)) != nil
    else { return [] }
    do {
      var options = ConversionOptions()
      // The folder's name is not the model's.
      options.name = "model"
      let source = try ConversionSource(model)
      _ = try GGUFAssembly(source: source, model: folder, options: options).contents()
      return []
    } catch {
      return [LintFinding(.noGGUF, (error as? ModelError)?.message ?? "\(error)")]
    }
  }
}
