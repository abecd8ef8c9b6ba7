import Formats
import Models
import Patch

/// The planned contents of a model folder.
struct FolderContents {
  /// One file of weights.
  private struct Shard {
    var name: String
    var writer: SafetensorsWriter
    /// In the order of `writer.tensors`.
    var tensors: [PlannedTensor]
  }

  /// Text files by name.
  let texts: [(name: String, bytes: [UInt8])]
  /// A folder from which all other files are copied, and the names of those that are not copied.
  let carried: (folder: String, except: Set<String>)?
  let remarks: [String]
  private let shards: [Shard]

  /// The default of transformers.
  private static let shardBytes = 5_000_000_000
  static let singleName = SafetensorsFolder.singleName
  static let indexName = SafetensorsFolder.indexName

  init(
    tensors: [PlannedTensor], texts: [(name: String, bytes: [UInt8])],
    carried: (folder: String, except: Set<String>)?, remarks: [String], maximumShardBytes: Int?
  ) throws {
    self.texts = texts
    self.carried = carried
    self.remarks = remarks
    let groups = Self.groups(tensors, maximumShardBytes ?? Self.shardBytes)
    shards = try groups.enumerated().map { index, tensors in
      try Self.shard(Self.name(index, of: groups.count), tensors)
    }
  }

  private static func groups(_ tensors: [PlannedTensor], _ maximumBytes: Int) -> [[PlannedTensor]] {
    var groups: [[PlannedTensor]] = [[]]
    var bytes = 0
    for tensor in tensors {
      if bytes > 0, bytes + tensor.byteCount > maximumBytes {
        groups.append([])
        bytes = 0
      }
      groups[groups.count - 1].append(tensor)
      bytes += tensor.byteCount
    }
    return groups
  }

  private static func name(_ index: Int, of count: Int) -> String {
    func digits(_ number: Int) -> String {
      String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
    }
    return count == 1 ? singleName : "model-\(digits(index + 1))-of-\(digits(count)).safetensors"
  }

  private static func shard(_ name: String, _ tensors: [PlannedTensor]) throws -> Shard {
    let entries = tensors.map { tensor in
      SafetensorsTensor(
        name: tensor.name, dtype: tensor.type, shape: tensor.shape, range: 0..<tensor.byteCount)
    }
    let writer = try SafetensorsWriter(metadata: [("format", "pt")], tensors: entries)
    let byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return Shard(name: name, writer: writer, tensors: writer.tensors.compactMap { byName[$0.name] })
  }

  var tensorBytes: Int { shards.reduce(0) { $0 + $1.tensors.reduce(0) { $0 + $1.byteCount } } }

  private var index: [UInt8]? {
    guard shards.count > 1 else { return nil }
    let places = shards.flatMap { shard in shard.tensors.map { ($0.name, shard.name) } }.sorted {
      $0.0 < $1.0
    }
    return JSONStyle.standard.encode(
      .object([
        "metadata": .object(["total_size": .number(tensorBytes)]),
        "weight_map": .object(places.map { JSONMember($0.0, .string($0.1)) }),
      ])) + [0x0A]
  }

  /// Writes the folder.
  ///
  /// It appears complete or not at all.
  /// - Parameters:
  ///   - beforeCommit: a check before the folder appears.
  ///   - commit: calls its argument, which makes the folder appear.
  func write(
    to output: String, _ writer: TensorWriter, beforeCommit: () throws -> Void,
    commit: (() throws -> Void) throws -> Void
  ) throws {
    try OutputFolder.create(output, commit: commit) { folder in
      try writeWeights(to: folder, writer)
      for (name, bytes) in texts + (index.map { [(Self.indexName, $0)] } ?? []) {
        let path = "\(folder)/\(name)"
        if name.contains("/"), !FileSystem.exists(FileSystem.folder(of: path)) {
          try FileSystem.createFolder(FileSystem.folder(of: path))
        }
        let file = try Descriptor(path: path, .create)
        try file.write(bytes, at: 0)
        try file.sync()
      }
      if let carried { try carry(carried.folder, except: carried.except, to: folder) }
      try beforeCommit()
    }
  }

  private func writeWeights(to folder: String, _ writer: TensorWriter) throws {
    var files: [OpenFile] = []
    var placements: [TensorWriter.Placement] = []
    for (index, shard) in shards.enumerated() {
      let file = try OpenFile(path: "\(folder)/\(shard.name)")
      try file.descriptor.write(shard.writer.header, at: 0)
      files.append(file)
      placements += zip(shard.tensors, shard.writer.tensors).map { tensor, entry in
        TensorWriter.Placement(
          tensor: tensor, file: index, offset: shard.writer.header.count + entry.range.lowerBound)
      }
    }
    try writer.write(placements.sorted { ($0.file, $0.offset) < ($1.file, $1.offset) }, to: files)
    for file in files { try file.commit() }
  }

  /// Copies files and folders that the conversion does not change.
  ///
  /// The targets of links are copied, not the links.
  private func carry(_ source: String, except names: Set<String>, to target: String) throws {
    for name in try FileSystem.names(in: source) where !names.contains(name) {
      let (path, place) = ("\(source)/\(name)", "\(target)/\(name)")
      let status = try FileStatus(of: path, followingLinks: true)
      switch status.kind {
      case .folder:
        try FileSystem.createFolder(place)
        try carry(path, except: [], to: place)
      case .file:
        let old = try Descriptor(path: path, .read)
        let new = try Descriptor(path: place, .create)
        try new.copy(from: old, at: 0, count: status.size, to: 0)
        try new.sync()
      default:
        throw ModelError.unsupported(path, "is neither a file nor a folder and cannot be copied")
      }
    }
  }
}
