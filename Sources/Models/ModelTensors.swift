package import Formats

/// A tensor as stored in a file of a model.
package struct ModelTensor: Sendable {
  /// The name in the file.
  package var name: String
  /// The name in the layout of the architecture's record.
  package var plainName: String
  package var type: ElementType
  /// The slowest-varying dimension first.
  package var shape: [Int]
  package var file: SharedFile
  /// The position of its first byte in the file.
  package var offset: Int
  package var byteCount: Int
  /// The matrix that the bytes stand for if they are quantised with scales beside them.
  ///
  /// `type` is then the type to which its numbers are rounded.
  package var scaled: ScaledMatrix?

  package var elements: Int { shape.reduce(1, *) }
  package var range: Range<Int> { offset..<offset + byteCount }

  /// One slice along the first dimension, such as the matrix of one expert.
  package func part(_ index: Int, of count: Int) -> ModelTensor {
    precondition(shape.first == count && byteCount % max(1, count) == 0)
    var part = self
    part.shape.removeFirst()
    part.byteCount = byteCount / count
    part.offset = offset + index * part.byteCount
    if let scaled {
      let rows = scaled.rows / count
      part.scaled = scaled.part(index * rows..<(index + 1) * rows)
    }
    return part
  }

  /// One of several parts with the same number of rows, in which a matrix is stored.
  package func rows(_ index: Int, of count: Int) -> ModelTensor {
    var whole = self
    whole.shape.insert(count, at: 0)
    whole.shape[1] /= count
    return whole.part(index, of: count)
  }
}

/// All tensors of a model, in the order of its files.
package struct ModelTensors: Sendable {
  package let all: [ModelTensor]
  /// The tensors of other parts of a multimodal model, such as a vision encoder.
  package let otherParts: [ModelTensor]
  /// The files and their status when they were opened, to detect changes.
  private let files: [(path: String, status: FileStatus)]

  /// The paths of the weight files.
  package var paths: [String] { files.map(\.path) }

  /// Opens all weight files of a model.
  /// - Throws: `ModelError` for a folder without weights, `FileError` or `FormatError` for a file
  ///   that cannot be opened.
  package init(_ model: ModelFile) throws {
    var (tensors, files): ([ModelTensor], [(path: String, status: FileStatus)]) = ([], [])
    func open(_ path: String) throws -> SharedFile {
      files.append((path, try FileStatus(of: path, followingLinks: true)))
      return try SharedFile(path: path)
    }
    switch model {
    case .folder(let folder):
      guard let weights = try SafetensorsFolder(path: folder.path) else {
        throw ForeignFile.missingWeights(folder.path)
      }
      for shard in weights.shards {
        let file = try open("\(folder.path)/\(shard.name)")
        tensors += shard.header.tensors.map { tensor in
          ModelTensor(
            name: tensor.name, plainName: tensor.name, type: tensor.dtype, shape: tensor.shape,
            file: file,
            offset: shard.header.dataOffset + tensor.range.lowerBound,
            byteCount: tensor.range.count)
        }
      }
    case .gguf(let file):
      for shard in file.shards {
        let file = try open(shard.path)
        tensors += shard.header.tensors.map { tensor in
          ModelTensor(
            name: tensor.name, plainName: tensor.name, type: tensor.type,
            shape: tensor.shape.reversed(), file: file,
            offset: shard.header.dataOffset + tensor.offset, byteCount: tensor.byteCount)
        }
      }
    }
    (all, otherParts) = try Self.divided(tensors, model)
    self.files = files
  }

  /// The tensors of the language model under the names of its record, and those of other parts.
  /// - Throws: `ModelError` for the tensors of an adapter.
  private static func divided(
    _ tensors: [ModelTensor], _ model: ModelFile
  ) throws(ModelError) -> ([ModelTensor], [ModelTensor]) {
    guard case .folder(let folder) = model else { return (tensors, []) }
    let tensors = try QuantizedTensors.paired(tensors, of: folder)
    let names = Set(tensors.map(\.name))
    if let name = names.filter({ $0.hasPrefix("base_model.model.") }).min() {
      throw .unsupported(
        folder.path,
        "tensor '\(name.sanitized)' is that of an adapter that was not merged; merge it into its base model first (peft's merge_and_unload)"
      )
    }
    let layout = TensorLayout.of(
      names, embedding: model.tensorName(.embedding),
      isMultimodal: !folder.location.isEmpty || folder.architecture.isPartOfFlatConfig)
    var (own, others): ([ModelTensor], [ModelTensor]) = ([], [])
    for var tensor in tensors {
      if let name = layout.plainName(tensor.name) {
        tensor.plainName = name
        own.append(tensor)
      } else {
        others.append(tensor)
      }
    }
    return (own, others)
  }

  /// Checks that no file has changed since it was opened.
  /// - Throws: `ModelError` if another process has changed a file.
  package func requireUnchanged() throws {
    for (path, status) in files where try FileStatus(of: path, followingLinks: true) != status {
      throw ModelError.changedMeanwhile(path)
    }
  }
}
