public import Formats

/// A GGUF model, one file or all shards of a split one, as far as a patch reads and changes it.
public struct GGUFModel: Sendable {
  /// One shard; a model that is not split has one.
  public struct Shard: Sendable {
    public var path: String
    public var header: GGUFHeader
    public var fileSize: Int
  }

  public let shards: [Shard]
  public let architecture: GGUFArchitecture
  public let geometry: RopeGeometry
  /// Factors in `rope_factors_long.weight` and `rope_factors_short.weight`, where they are.
  public let longFactors: [Float]?
  public let shortFactors: [Float]?
  /// Llama 3.1's factors in `rope_freqs.weight`, where they are.
  public let frequencyFactors: [Float]?

  public var first: Shard { shards[0] }
  public var path: String { first.path }
  public var isSplit: Bool { first.header[key: "split.count"]?.integer ?? 1 > 1 }

  public static let longName = "rope_factors_long.weight"
  public static let shortName = "rope_factors_short.weight"
  public static let frequenciesName = "rope_freqs.weight"
  static let tableNames = [longName, shortName, frequenciesName]

  /// Opens the model that `path` is, or is a shard of.
  /// - Parameter anyFamily: also one whose loader takes no factors.
  /// - Throws: `FileError`, `FormatError` (an incomplete set included), or `PatchError`.
  public init(path: String, anyFamily: Bool = false) throws {
    let paths = try Self.shardPaths(of: path)
    var shards: [Shard] = []
    var tensors: [String: [Float]] = [:]
    for path in paths {
      let file = try GGUFFile(path: path)
      let excess = file.map.byteCount - file.header.end
      if file.header.tensors.isEmpty, excess > 4096 {
        throw PatchError.unsupported(
          path, "lists no tensors, but \(excess) bytes follow its header")
      }
      shards.append(Shard(path: path, header: file.header, fileSize: file.map.byteCount))
      for name in Self.tableNames {
        if let values = file.floats(of: name) { tensors[name] = values }
      }
    }
    try Self.checkSplit(shards)
    try self.init(shards: shards, tables: tensors, anyFamily: anyFamily)
  }

  /// - Parameter tables: what the shards hold under the names of `tableNames`.
  init(shards: [Shard], tables: [String: [Float]], anyFamily: Bool = false) throws {
    self.shards = shards
    longFactors = tables[Self.longName]
    shortFactors = tables[Self.shortName]
    frequencyFactors = tables[Self.frequenciesName]
    let keys = GGUFKeys(shards[0].header, path: shards[0].path)
    let name = try keys.architecture
    let known = GGUFArchitecture.all.first { $0.name == name }
    architecture =
      try known ?? (anyFamily ? .withoutFactors(name) : GGUFArchitecture.named(name, subject: shards[0].path))
    geometry = try keys.geometry(
      frequencyFactors: frequencyFactors, hasTables: longFactors != nil || shortFactors != nil)
  }

  /// The shards' paths, first to last. A file whose name is a shard's but which is not split stands alone.
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

/// Typed access to the keys that describe the rotary embedding.
struct GGUFKeys {
  let header: GGUFHeader
  let path: String

  init(_ header: GGUFHeader, path: String) {
    self.header = header
    self.path = path
  }

  var architecture: String {
    get throws(PatchError) {
      guard let name = header[key: "general.architecture"]?.text else {
        throw .unsupported(path, "the key 'general.architecture' is missing")
      }
      return name
    }
  }

  private func natural(_ key: String) throws(PatchError) -> Int? {
    guard let value = header[key: key] else { return nil }
    guard let number = value.integer, number > 0, number <= 1 << 40 else {
      throw .unsupported(path, "the key '\(key.sanitized)' is no positive whole number")
    }
    return number
  }

  func geometry(
    frequencyFactors: [Float]?, hasTables: Bool
  ) throws(PatchError) -> RopeGeometry {
    let prefix = try architecture
    guard let window = try natural("\(prefix).context_length") else {
      throw .unsupported(path, "the key '\(prefix.sanitized).context_length' is missing")
    }
    let theta = header[key: "\(prefix).rope.freq_base"]?.double ?? 10_000
    guard theta > 1, theta < 1e15 else {
      throw .unsupported(path, "the key '\(prefix).rope.freq_base' is \(theta)")
    }
    let dimensions = try rotaryDimensions(prefix)
    // Some converters write the tables but not the type.
    var type = header[key: "\(prefix).rope.scaling.type"]?.text ?? (hasTables ? "longrope" : "none")
    var originals = [window]
    if let original = try natural("\(prefix).rope.scaling.original_context_length") {
      originals = [original]
    } else if let frequencyFactors {
      type = "llama3"
      originals = Self.windows(
        explaining: frequencyFactors, theta: theta, dimensions: dimensions, window: window)
    }
    let isKnown = type != "longrope" || header[key: "\(prefix).rope.scaling.original_context_length"] != nil
    return RopeGeometry(
      architecture: prefix, layers: try natural("\(prefix).block_count"),
      rotaryDimensions: dimensions, theta: theta, window: window, originalWindows: originals,
      isOriginalWindowKnown: isKnown, scalingType: type == "none" ? "default" : type)
  }

  private func rotaryDimensions(_ prefix: String) throws(PatchError) -> Int {
    var dimensions = try natural("\(prefix).rope.dimension_count")
    if dimensions == nil { dimensions = try natural("\(prefix).attention.key_length") }
    if dimensions == nil, let width = try natural("\(prefix).embedding_length"),
      let heads = try natural("\(prefix).attention.head_count")
    {
      dimensions = width / heads
    }
    guard let dimensions else {
      throw .unsupported(path, "the key '\(prefix.sanitized).rope.dimension_count' is missing")
    }
    guard dimensions >= 2, dimensions % 2 == 0, dimensions <= 1 << 16 else {
      throw .unsupported(path, "\(dimensions) rotary dimensions, expected an even number from 2 on")
    }
    return dimensions
  }

  /// The windows before extension that reproduce a `rope_freqs.weight` by Llama 3.1's formula; the file itself does
  /// not say it. What a factor between the two ends amounts to is tried, and powers of two, as windows mostly are.
  private static func windows(
    explaining factors: [Float], theta: Double, dimensions: Int, window: Int
  ) -> [Int] {
    let stretch = Double(factors.max() ?? 1)
    let between = zip(factors, LongRoPE.inverseFrequencies(theta: theta, rotaryDimensions: dimensions)).first {
      $0.0 > 1.001 && Double($0.0) < 0.999 * stretch
    }
    let solved = between.map { factor, frequency -> Int in
      let smooth = (1 / Double(factor) - 1 / stretch) / (1 - 1 / stretch)
      return Int((LongRoPE.period(inverseFrequency: frequency) * (1 + 3 * smooth)).rounded())
    }
    let powers = (8...20).map { 1 << $0 }
    let candidates = (powers + (solved.map { [$0] } ?? [])).filter { $0 <= window && $0 > 0 }
    let matching = candidates.filter { candidate in
      let expected = Llama3Scaling.factors(
        theta: theta, rotaryDimensions: dimensions, factor: stretch, originalWindow: candidate)
      return expected.count == factors.count
        && zip(expected, factors).allSatisfy { abs($0 - Double($1)) <= 1e-3 * $0 }
    }
    return matching.isEmpty ? [window] : Array(Set(matching)).sorted()
  }
}
