import Formats
import Models
import Patch

/// The files of a GGUF model: one, or the shards of a split model.
struct GGUFOutput {
  /// The header and the tensors of one file.
  private struct Shard {
    var path: String
    var header: GGUFHeader
    var tensors: [PlannedTensor]
  }

  private let shards: [Shard]

  /// - Parameters:
  ///   - path: the path of the file. The names of shards are derived from it.
  ///   - maximumBytes: the largest number of bytes of tensor data in one file, unless a single
  ///     tensor is larger.
  /// - Throws: `ModelError` for more shards than can be numbered.
  init(_ contents: GGUFContents, path: String, maximumBytes: Int?) throws {
    let groups = maximumBytes.map { Self.groups(contents.tensors, $0) } ?? [contents.tensors]
    // A single file is not numbered.
    guard groups.count > 1 else {
      shards = [
        Self.shard(path, contents.keys.filter { !Self.isSplitKey($0.name) }, contents.tensors)
      ]
      return
    }
    guard groups.count <= 99_999, groups.count <= UInt16.max else {
      throw ModelError.unsupported(
        path, "would be split into \(groups.count) files; allow more bytes per file")
    }
    let stem = path.hasSuffix(".gguf") ? String(path.dropLast(5)) : path
    shards = groups.enumerated().map { index, tensors in
      let keys = [
        GGUFKey("split.no", .uint16(UInt16(index))),
        GGUFKey("split.count", .uint16(UInt16(groups.count))),
        GGUFKey("split.tensors.count", .int32(Int32(contents.tensors.count))),
      ]
      let own =
        index == 0
        ? contents.keys.filter { !Self.isSplitKey($0.name) } : Self.alignment(contents.keys)
      return Self.shard(
        "\(stem)-\(Self.digits(index + 1))-of-\(Self.digits(groups.count)).gguf", own + keys,
        tensors)
    }
  }

  private static func isSplitKey(_ name: String) -> Bool {
    ["split.no", "split.count", "split.tensors.count"].contains(name)
  }

  /// The keys that every shard needs, because each file is parsed by itself.
  private static func alignment(_ keys: [GGUFKey]) -> [GGUFKey] {
    keys.filter { $0.name == "general.alignment" }
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: 5 - text.count) + text
  }

  private static func groups(_ tensors: [PlannedTensor], _ maximumBytes: Int) -> [[PlannedTensor]] {
    var groups: [[PlannedTensor]] = []
    var bytes = 0
    for tensor in tensors {
      if groups.isEmpty || bytes + tensor.byteCount > maximumBytes {
        groups.append([])
        bytes = 0
      }
      groups[groups.count - 1].append(tensor)
      bytes += tensor.byteCount
    }
    return groups
  }

  private static func shard(
    _ path: String, _ keys: [GGUFKey], _ tensors: [PlannedTensor]
  ) -> Shard {
    let entries = tensors.map { tensor in
      GGUFTensor(tensor.name, shape: tensor.shape.reversed(), type: tensor.type)
    }
    return Shard(path: path, header: GGUFHeader(keys: keys, tensors: entries), tensors: tensors)
  }

  var paths: [String] { shards.map(\.path) }
  var tensorBytes: Int { shards.reduce(0) { $0 + $1.header.dataByteCount } }

  /// Writes all files.
  ///
  /// They appear when all of them are complete, the first one last.
  /// - Parameters:
  ///   - file: the file that arrays in the keys refer to.
  ///   - beforeCommit: a check before the files appear.
  ///   - commit: calls its argument, which makes the files appear.
  func write(
    _ writer: TensorWriter, arraysIn file: RawSpan, beforeCommit: () throws -> Void,
    commit: (() throws -> Void) throws -> Void
  ) throws {
    var files: [OpenFile] = []
    var placements: [TensorWriter.Placement] = []
    for (index, shard) in shards.enumerated() {
      let head = shard.header.encoded(arraysIn: file)
      let output = try OpenFile(path: shard.path)
      try output.descriptor.write(head, at: 0)
      try output.descriptor.truncate(to: head.count + shard.header.dataByteCount)
      files.append(output)
      placements += zip(shard.tensors, shard.header.tensors).map { tensor, entry in
        TensorWriter.Placement(tensor: tensor, file: index, offset: head.count + entry.offset)
      }
    }
    try writer.write(placements, to: files)
    for file in files { try file.descriptor.sync() }
    try beforeCommit()
    try commit { try Self.publish(files) }
  }

  private static func publish(_ files: [OpenFile]) throws {
    var done: [String] = []
    do {
      for (index, file) in files.enumerated().reversed() {
        // The other names are durable before the first file, with the keys, has its own.
        if index == 0, files.count > 1 { try syncFolder(of: file) }
        try file.commit()
        done.append(file.path)
      }
      try syncFolder(of: files[0])
    } catch {
      for path in done { try? FileSystem.remove(path) }
      throw error
    }
  }

  private static func syncFolder(of file: OpenFile) throws {
    try FileSystem.syncFolder(FileSystem.folder(of: file.path))
  }
}
