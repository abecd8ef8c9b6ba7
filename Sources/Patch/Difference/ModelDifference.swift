import Formats
import Models

/// The differences between two models of the same format, in their configs or keys and their
/// tensors.
public struct ModelDifference: Sendable {
  /// One difference.
  public struct Entry: Equatable, Sendable {
    /// A member of a config, a GGUF key, a tensor, a whole file, or a member of a factors file.
    public enum Kind: String, Sendable { case config, key, tensor, file, factors }

    /// What differs.
    public var kind: Kind
    /// The name of the member, key, tensor or file.
    public var name: String
    /// The value in the first model, or nil if it has none.
    public var left: String?
    /// The value in the second model, or nil if it has none.
    public var right: String?

    package init(_ kind: Kind, _ name: String, _ left: String?, _ right: String?) {
      self.kind = kind
      self.name = name
      self.left = left
      self.right = right
    }

    /// The difference as seen from the second model.
    package var swapped: Entry { Entry(kind, name, right, left) }
  }

  /// All differences: configs or keys first, then tensors.
  public private(set) var entries: [Entry] = []

  /// Compares two models.
  /// - Parameter comparingData: whether to compare the bytes of tensors, not only types and shapes.
  /// - Throws: `ModelError` for models of different formats or with different numbers of shards;
  ///   `FormatError` or `FileError` for a file that cannot be read.
  public init(
    _ left: borrowing ModelSession, _ right: borrowing ModelSession, comparingData: Bool
  ) throws {
    guard left.format == right.format else {
      throw ModelError.unsupported(
        right.path, "a model folder and a GGUF file cannot be compared")
    }
    switch left.format {
    case .folder:
      try compareConfigs(left.path, right.path)
      try compareWeights(left.path, right.path, comparingData)
    case .gguf: try compareGGUF(left.path, right.path, comparingData)
    }
  }

  /// Compares two sets of factors, in their canonical form.
  public init(_ left: FactorSet, _ right: FactorSet) {
    for change in JSONDifference.changes(from: left.json, to: right.json, file: "") {
      add(.factors, change.name, change.old, change.new)
    }
  }

  // MARK: Folders

  private mutating func compareConfigs(_ left: String, _ right: String) throws {
    let names = Set(try FileSystem.names(in: left) + FileSystem.names(in: right))
    for name in names.sorted() where name.hasSuffix(".json") && !name.hasSuffix(".index.json") {
      let pair = ["\(left)/\(name)", "\(right)/\(name)"].map(FileSystem.exists)
      guard pair[0], pair[1] else {
        add(.file, name, pair[0] ? "present" : nil, pair[1] ? "present" : nil)
        continue
      }
      let old = try FileSystem.contents(of: "\(left)/\(name)")
      let new = try FileSystem.contents(of: "\(right)/\(name)")
      if old == new { continue }
      let changes = JSONDifference.changes(
        from: try JSONDocument(path: "\(left)/\(name)", limit: 64 << 20).value,
        to: try JSONDocument(path: "\(right)/\(name)", limit: 64 << 20).value, file: name)
      for change in changes { add(.config, "\(name): \(change.name)", change.old, change.new) }
      if changes.isEmpty { add(.file, name, "other layout", "other layout") }
    }
  }

  private mutating func compareWeights(
    _ left: String, _ right: String, _ comparingData: Bool
  ) throws {
    let old = try SafetensorsFolder(path: left)?.locations ?? [:]
    let new = try SafetensorsFolder(path: right)?.locations ?? [:]
    for name in Set(old.keys).union(new.keys).sorted() {
      guard let before = old[name], let after = new[name] else {
        add(.tensor, name, old[name]?.summary, new[name]?.summary)
        continue
      }
      if before.summary != after.summary {
        add(.tensor, name, before.summary, after.summary)
      } else if comparingData, try !before.hasSameData(as: after, left, right) {
        add(.tensor, name, before.summary, "\(after.summary), other data")
      }
    }
  }

  // MARK: GGUF

  private mutating func compareGGUF(
    _ left: String, _ right: String, _ comparingData: Bool
  ) throws {
    let leftPaths = try GGUFModel.shardPaths(of: left)
    let rightPaths = try GGUFModel.shardPaths(of: right)
    guard leftPaths.count == rightPaths.count else {
      throw ModelError.unsupported(
        right, "split into \(rightPaths.count) files, but the other model into \(leftPaths.count)")
    }
    for (leftPath, rightPath) in zip(leftPaths, rightPaths) {
      let old = try GGUFFile(path: leftPath)
      let new = try GGUFFile(path: rightPath)
      compareKeys(old, new)
      compareTensors(old, new, comparingData)
    }
  }

  private mutating func compareKeys(_ old: borrowing GGUFFile, _ new: borrowing GGUFFile) {
    let names = old.header.keys.map(\.name) + new.header.keys.map(\.name)
    var seen: Set<String> = []
    for name in names where seen.insert(name).inserted && name != GGUFEdit.paddingKey {
      let before = old.header.keys.first { $0.name == name }
      let after = new.header.keys.first { $0.name == name }
      if let before, let after,
        old.map.bytes.extracting(before.range).equals(new.map.bytes.extracting(after.range))
      {
        continue
      }
      add(.key, name, before?.value.summary, after?.value.summary)
    }
  }

  private mutating func compareTensors(
    _ old: borrowing GGUFFile, _ new: borrowing GGUFFile, _ comparingData: Bool
  ) {
    var rest = Dictionary(uniqueKeysWithValues: new.header.tensors.map { ($0.name, $0) })
    for before in old.header.tensors {
      guard let after = rest.removeValue(forKey: before.name) else {
        add(.tensor, before.name, before.summary, nil)
        continue
      }
      if before.summary != after.summary {
        add(.tensor, before.name, before.summary, after.summary)
      } else if comparingData,
        !old.map.equals(old.dataRange(of: before), new.map, new.dataRange(of: after))
      {
        add(.tensor, before.name, before.summary, "\(after.summary), other data")
      }
    }
    for tensor in new.header.tensors where rest[tensor.name] != nil {
      add(.tensor, tensor.name, nil, tensor.summary)
    }
  }

  private mutating func add(_ kind: Entry.Kind, _ name: String, _ left: String?, _ right: String?) {
    entries.append(Entry(kind, name, left, right))
  }
}

/// A tensor of a folder, with the shard that holds it.
private struct TensorLocation {
  var shard: SafetensorsFolder.Shard
  var tensor: SafetensorsTensor

  var summary: String { "\(tensor.dtype.name) \(tensor.shape)" }

  func hasSameData(as other: TensorLocation, _ left: String, _ right: String) throws -> Bool {
    let old = try SafetensorsFile(path: "\(left)/\(shard.name)")
    let new = try SafetensorsFile(path: "\(right)/\(other.shard.name)")
    return old.map.equals(old.dataRange(of: tensor), new.map, new.dataRange(of: other.tensor))
  }
}

extension SafetensorsFolder {
  fileprivate var locations: [String: TensorLocation] {
    var result: [String: TensorLocation] = [:]
    for shard in shards {
      for tensor in shard.header.tensors {
        result[tensor.name] = TensorLocation(shard: shard, tensor: tensor)
      }
    }
    return result
  }
}

extension GGUFTensor {
  fileprivate var summary: String { "\(type.name) \(shape)" }
}
