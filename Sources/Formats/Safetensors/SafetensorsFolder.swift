/// The weights of a model folder: the shards that `model.safetensors.index.json` lists, or without
/// an index `model.safetensors`, or a complete set `model-00001-of-0000N.safetensors`.
public struct SafetensorsFolder: Sendable {
  /// The path of the folder.
  public let path: String
  /// The weight files, sorted by name.
  public let shards: [Shard]

  /// Whether the folder has several shards, or one with a number, but no index.
  ///
  /// transformers requires one.
  public let lacksIndex: Bool

  /// Whether `model.safetensors` stands beside an index that does not list it.
  ///
  /// transformers reads that file and not the indexed ones.
  public var hasSecondSet: Bool {
    !lacksIndex && !shards.contains { $0.name == Self.singleName }
      && FileSystem.exists("\(path)/\(Self.singleName)")
  }

  /// The name of the index.
  public static let indexName = "model.safetensors.index.json"
  /// The name of the weights in one file.
  public static let singleName = "model.safetensors"

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
    let indexPath = "\(path)/\(Self.indexName)"
    if FileSystem.exists(indexPath) {
      lacksIndex = false
      shards = try Self.indexedShards(in: path, indexPath)
    } else if FileSystem.exists("\(path)/\(Self.singleName)") {
      lacksIndex = false
      shards = [try Self.shard(Self.singleName, in: path)]
    } else {
      lacksIndex = true
      shards = try Self.numberedShards(in: path)
      if shards.isEmpty { return nil }
    }
  }

  /// The shards of a folder without an index, by their numbers.
  private static func numberedShards(in folder: String) throws -> [Shard] {
    let names = try FileSystem.names(in: folder).compactMap { name in
      name.wholeMatch(of: /model-([0-9]{5})-of-([0-9]{5})\.safetensors/).flatMap { match in
        Int(match.2).map { (name: name, count: $0) }
      }
    }.sorted { $0.name < $1.name }
    guard let count = names.first?.count else { return [] }
    guard count == names.count, names.allSatisfy({ $0.count == count }) else {
      throw FormatError(.incompleteSplit(expected: count, found: names.count)).inFile(folder)
    }
    let shards = try names.map { try shard($0.name, in: folder) }
    try refuseDuplicates(in: shards, folder)
    return shards
  }

  private static func indexedShards(in folder: String, _ indexPath: String) throws -> [Shard] {
    let index = try JSONDocument(path: indexPath, limit: 64 << 20)
    guard let map = index.value["weight_map"]?.members else {
      throw FormatError(.invalidDescription("the index has no object 'weight_map'"), .header)
        .inFile(indexPath)
    }
    var tensorsByShard: [String: Set<String>] = [:]
    var places: [String: String] = [:]
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
      places[entry.name] = name
    }
    let shards = try tensorsByShard.keys.sorted().map { name in
      guard FileSystem.exists("\(folder)/\(name)") else {
        throw FormatError(.missingShard(name)).inFile(indexPath)
      }
      var shard = try shard(name, in: folder)
      // A tensor in several shards is read from the one that the index names.
      shard.header.tensors.removeAll { places[$0.name].map { $0 != name } ?? false }
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
