public import Formats

/// The headers and factor tensors of a GGUF model, one file or all shards of a split model.
public struct GGUFModel: Sendable {
  /// One file.
  ///
  /// A model that is not split has one shard.
  public struct Shard: Sendable {
    /// The path of the file.
    public var path: String
    /// Its keys and tensor descriptions.
    public var header: GGUFHeader
    /// Its size in bytes.
    public var fileSize: Int

    package init(path: String, header: GGUFHeader, fileSize: Int) {
      self.path = path
      self.header = header
      self.fileSize = fileSize
    }
  }

  /// All files, in the order of their numbers.
  public let shards: [Shard]
  /// The record for `general.architecture`, or an unlisted one.
  public let architecture: Architecture
  /// The description of the rotary embedding.
  public let geometry: RopeGeometry
  /// The numbers that describe the model's size.
  public let hyperparameters: Hyperparameters
  /// The factors in `rope_factors_long.weight`, or nil: (pairs).
  public let longFactors: [Float]?
  /// The factors in `rope_factors_short.weight`, or nil: (pairs).
  public let shortFactors: [Float]?
  /// Llama 3.1's factors in `rope_freqs.weight`, or nil: (pairs).
  public let frequencyFactors: [Float]?

  /// The first shard, which holds the keys.
  public var first: Shard { shards[0] }
  /// The path of the first shard.
  public var path: String { first.path }
  /// Whether the model consists of several files.
  public var isSplit: Bool { first.header[key: "split.count"]?.integer ?? 1 > 1 }

  /// The tensor of LongRoPE's long factors.
  public static let longName = "rope_factors_long.weight"
  /// The tensor of LongRoPE's short factors.
  public static let shortName = "rope_factors_short.weight"
  /// The tensor of Llama 3.1's factors.
  public static let frequenciesName = "rope_freqs.weight"
  package static let tableNames = [longName, shortName, frequenciesName]

  /// Opens the model that has `path` as its file or as one of its shards.
  /// - Throws: `FileError`, `FormatError` (also for missing shards), or `ModelError`.
  public init(path: String) throws {
    let paths = try Self.shardPaths(of: path)
    var shards: [Shard] = []
    var tensors: [String: [Float]] = [:]
    var sizes: GGUFHeader?
    for path in paths {
      let file = try GGUFFile(path: path)
      if shards.isEmpty, let error = ForeignFile.contents(file.header, path) { throw error }
      let excess = file.map.byteCount - file.header.end
      if file.header.tensors.isEmpty, excess > 4096 {
        throw ModelError.unsupported(
          path, "lists no tensors, but \(excess) bytes follow its header")
      }
      if shards.isEmpty { sizes = file.uniformHeader }
      shards.append(Shard(path: path, header: file.header, fileSize: file.map.byteCount))
      for name in Self.tableNames {
        guard let tensor = file.header.tensor(named: name) else { continue }
        guard let values = file.floats(of: name), tensor.shape.count == 1 else {
          throw ModelError.unsupported(
            path,
            "tensor '\(name)' is \(tensor.type.name) \(tensor.shape), expected one dimension of F32, as llama.cpp requires"
          )
        }
        tensors[name] = values
      }
    }
    try Self.checkSplit(shards)
    try self.init(shards: shards, tables: tensors, sizes: sizes)
  }

  /// - Parameters:
  ///   - tables: the values of the tensors in `tableNames` that the shards have.
  ///   - sizes: the first header with single numbers for lists by layer; nil if there are none.
  package init(shards: [Shard], tables: [String: [Float]], sizes: GGUFHeader? = nil) throws {
    let sizes = sizes ?? shards[0].header
    self.shards = shards
    longFactors = tables[Self.longName]
    shortFactors = tables[Self.shortName]
    frequencyFactors = tables[Self.frequenciesName]
    let keys = RopeKeys(sizes, path: shards[0].path)
    let name = try keys.architecture
    architecture = Architecture.known(gguf: name) ?? .unlisted(gguf: name)
    hyperparameters = Hyperparameters(sizes, architecture, path: shards[0].path)
    geometry = try keys.geometry(
      frequencyFactors: frequencyFactors, hasTables: longFactors != nil || shortFactors != nil)
  }

  /// The paths of all shards, first to last; only `path` if the file is not split, whatever its
  /// name.
  /// - Throws: `FileError` or `FormatError`, also for missing shards.
  public static func shardPaths(of path: String) throws -> [String] {
    guard let split = GGUFSplit(containing: path) else { return [path] }
    let file = try GGUFFile(path: path)
    guard file.header[key: "split.count"]?.integer ?? 1 > 1 else { return [path] }
    try split.requireAllShards()
    return split.paths
  }

  private static func checkSplit(_ shards: [Shard]) throws(FormatError) {
    guard let declared = shards[0].header[key: "split.count"]?.integer, declared > 1 else {
      return
    }
    guard declared == shards.count else {
      throw FormatError(.incompleteSplit(expected: declared, found: shards.count))
        .inFile(shards[0].path)
    }
    let total = shards.reduce(0) { $0 + $1.header.tensors.count }
    for (index, shard) in shards.enumerated() {
      for (key, expected) in [
        ("split.no", index), ("split.count", declared), ("split.tensors.count", total),
      ] where shard.header[key: key]?.integer != expected {
        let found = shard.header[key: key]?.integer.map(String.init) ?? "missing"
        throw FormatError(
          .inconsistentSplit("\(found), expected \(expected)"), .key(key)
        ).inFile(shard.path)
      }
    }
  }
}
