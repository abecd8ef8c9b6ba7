import Formats
import Patch
import Verify

/// A model to convert: its tensors, and what it says of itself.
struct SourceModel: Sendable {
  enum Description: Sendable {
    case folder(HuggingFaceModel)
    case gguf(GGUFModel)
  }

  let path: String
  let description: Description
  /// In the order of the files.
  let tensors: [StoredTensor]
  /// Weight files with their sizes and times when they were opened, to notice a change meanwhile.
  private let statuses: [(path: String, status: FileStatus)]

  /// - Throws: `FileError`, `FormatError` or `PatchError`.
  init(path: String) throws {
    self.path = path
    if FileSystem.isFolder(path) {
      let model = try HuggingFaceModel(path: path)
      description = .folder(model)
      guard model.textConfig["quantization_config"].map(\.isNull) ?? true else {
        throw PatchError.unsupported("\(path)/config.json", "weights with a quantization_config cannot be converted")
      }
      guard let weights = try SafetensorsFolder(path: path) else {
        throw PatchError.unsupported(path, "the folder has no safetensors weights")
      }
      (tensors, statuses) = try Self.tensors(weights)
    } else {
      let model = try GGUFModel(path: path, anyFamily: true)
      description = .gguf(model)
      (tensors, statuses) = try Self.tensors(model)
    }
  }

  private static func tensors(
    _ weights: SafetensorsFolder
  ) throws -> ([StoredTensor], [(path: String, status: FileStatus)]) {
    var (tensors, statuses): ([StoredTensor], [(path: String, status: FileStatus)]) = ([], [])
    for shard in weights.shards {
      let path = "\(weights.path)/\(shard.name)"
      statuses.append((path, try FileStatus(of: path, followingLinks: true)))
      let file = try WeightFile(path: path)
      tensors += shard.header.tensors.map { tensor in
        StoredTensor(
          name: tensor.name, typeName: tensor.dtype.name, shape: tensor.shape, file: file,
          offset: shard.header.dataOffset + tensor.range.lowerBound, byteCount: tensor.range.count)
      }
    }
    return (tensors, statuses)
  }

  private static func tensors(
    _ model: GGUFModel
  ) throws -> ([StoredTensor], [(path: String, status: FileStatus)]) {
    var (tensors, statuses): ([StoredTensor], [(path: String, status: FileStatus)]) = ([], [])
    for shard in model.shards {
      statuses.append((shard.path, try FileStatus(of: shard.path, followingLinks: true)))
      let file = try WeightFile(path: shard.path)
      tensors += shard.header.tensors.map { tensor in
        StoredTensor(
          name: tensor.name, typeName: tensor.type.name, shape: tensor.shape.reversed(), file: file,
          offset: shard.header.dataOffset + tensor.offset, byteCount: tensor.byteCount)
      }
    }
    return (tensors, statuses)
  }

  /// - Throws: `PatchError` where another process has changed a file of weights since it was opened.
  func requireUnchanged() throws {
    for (path, status) in statuses where try FileStatus(of: path, followingLinks: true) != status {
      throw Safety.changedMeanwhile(path)
    }
  }
}
