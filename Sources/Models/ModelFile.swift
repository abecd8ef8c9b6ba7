public import Formats

/// A model on disk in either format.
public enum ModelFile: Sendable {
  /// A Hugging Face folder.
  case folder(ModelFolder)
  /// A GGUF file or all shards of a split model.
  case gguf(GGUFModel)

  /// Opens a folder, a GGUF file, or the split GGUF model that has `path` as one of its shards.
  /// - Throws: `FileError`, `FormatError`, or `ModelError` if a part of the description is missing,
  ///   unknown or contradictory, or if the path is something that people take for a model.
  public init(path: String) throws {
    if try FileStatus(of: path, followingLinks: true).kind == .folder {
      guard FileSystem.exists("\(path)/\(ModelFolder.configName)") else {
        throw try ForeignFile.folder(path)
      }
      self = .folder(try ModelFolder(path: path))
    } else {
      if let error = ForeignFile.file(path) { throw error }
      self = .gguf(try GGUFModel(path: path))
    }
  }

  /// `folder` for a folder, `gguf` for everything else.
  public static func format(of path: String) -> ModelFormat {
    FileSystem.isFolder(path) ? .folder : .gguf
  }

  /// The format on disk.
  public var format: ModelFormat {
    switch self {
    case .folder: .folder
    case .gguf: .gguf
    }
  }

  /// The path of the folder or of the first GGUF file.
  public var path: String {
    switch self {
    case .folder(let model): model.path
    case .gguf(let model): model.path
    }
  }

  /// The record of the architecture.
  public var architecture: Architecture {
    switch self {
    case .folder(let model): model.architecture
    case .gguf(let model): model.architecture
    }
  }

  /// The description of the rotary embedding.
  public var geometry: RopeGeometry {
    switch self {
    case .folder(let model): model.geometry
    case .gguf(let model): model.geometry
    }
  }

  /// The numbers that describe the model's size.
  public var hyperparameters: Hyperparameters {
    switch self {
    case .folder(let model): model.hyperparameters
    case .gguf(let model): model.hyperparameters
    }
  }

  /// The language model's part of config.json; null for a GGUF file.
  public var config: JSONValue {
    switch self {
    case .folder(let model): model.textConfig
    case .gguf: .null
    }
  }

  /// The full name of a tensor in this model's format.
  public func tensorName(_ role: TensorRole, _ suffix: Architecture.Suffix = .weight) -> String {
    architecture.tensorName(role, suffix, in: format)
  }
}
