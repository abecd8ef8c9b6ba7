/// The weights of a model folder: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
public struct SafetensorsFolder: Sendable {
  /// The path of the folder.
  public let path: String
  /// The weight files, sorted by name.
  public let shards: [Shard]

  /// One weight file of the folder.
  public struct Shard: Sendable {
    /// The file name, without the folder.
    public var name: String
    /// The parsed header.
    public var header: SafetensorsHeader
  }

  /// Reads the headers of all shards.
  ///
  /// Nil if the folder has no safetensors weights.
  /// - Throws: `FormatError` for an index that names a missing file or a file outside the folder,
  ///   or if a tensor is not in the file that the index names; what the readers of the shards
  ///   throw.
  public init?(path: String) throws {
    self.path = path
    let indexPath = "\(path)/model.safetensors.index.json"
    if FileSystem.exists(indexPath) {
      shards = try Self.indexedShards(in: path, indexPath)
    } else if FileSystem.exists("\(path)/model.safetensors") {
      shards = [try Self.shard("model.safetensors", in: path)]
    } else {
      return nil
    }
  }

  private static func indexedShards(in folder: String, _ indexPath: String) throws -> [Shard] {
    let index = try JSONDocument(path: indexPath, limit: 64 << 20)
    guard let map = index.value["weight_map"]?.members else {
      throw FormatError(.invalidDescription("the index has no object 'weight_map'"), .header)
        .inFile(indexPath)
    }
    var tensorsByShard: [String: Set<String>] = [:]
    for entry in map {
      guard let name = entry.value.text else {
        throw FormatError(
          .wrongType(expected: "a file name", found: entry.value.kind), .tensor(entry.name)
        ).inFile(indexPath)
      }
      guard isPlainName(name) else {
        throw FormatError(.outsideFolder(name), .tensor(entry.name)).inFile(indexPath)
      }
      tensorsByShard[name, default: []].insert(entry.name)
    }
    let shards = try tensorsByShard.keys.sorted().map { name in
      guard FileSystem.exists("\(folder)/\(name)") else {
        throw FormatError(.missingShard(name)).inFile(indexPath)
      }
      let shard = try shard(name, in: folder)
      let present = Set(shard.header.tensors.map(\.name))
      if let missing = (tensorsByShard[name] ?? []).subtracting(present).min() {
        throw FormatError(.missingTensor(inShard: name), .tensor(missing)).inFile(indexPath)
      }
      return shard
    }
    try refuseDuplicates(in: shards, folder)
    return shards
  }

  private static func refuseDuplicates(in shards: [Shard], _ folder: String) throws(FormatError) {
    var seen: Set<String> = []
    for shard in shards {
      for tensor in shard.header.tensors where !seen.insert(tensor.name).inserted {
        throw FormatError(.duplicateTensor, .tensor(tensor.name)).inFile("\(folder)/\(shard.name)")
      }
    }
  }

  /// Whether a name can only denote a file in the folder itself.
  private static func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && !name.contains("/") && !name.contains("\0") && name != ".." && name != "."
  }

  private static func shard(_ name: String, in folder: String) throws -> Shard {
    Shard(name: name, header: try SafetensorsFile(path: "\(folder)/\(name)").header)
  }
}
