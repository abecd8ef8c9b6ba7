import Formats

/// Turns edits of keys and tensors into edits of files, with the record that undoes them inside the first shard.
struct GGUFPlanBuilder {
  let model: GGUFModel
  let stamp: Stamp

  /// - Parameter edits: one a shard.
  func fileEdits(_ edits: [GGUFEdit]) throws -> [FileEdit] {
    var results: [FileEdit] = []
    var undone: [UndoRecord.File] = []
    for index in edits.indices.dropFirst() where !edits[index].isEmpty {
      let shard = Shard(number: index, file: try GGUFFile(path: model.shards[index].path))
      let change = try shard.change(edits[index])
      results.append(shard.fileEdit(change))
      undone.append(change.undo)
    }
    let first = Shard(number: 0, file: try GGUFFile(path: model.path))
    results.insert(first.fileEdit(try firstChange(first, edits[0], others: undone)), at: 0)
    return results
  }

  /// The record says by how much the file grows, and is itself a part of that growth: so it is worked out anew until
  /// it agrees with itself. The insertion never shrinks, so this ends.
  private func firstChange(
    _ shard: borrowing Shard, _ edit: GGUFEdit, others: [UndoRecord.File]
  ) throws -> Change {
    var change = try shard.change(edit)
    for _ in 0..<32 {
      let record = UndoRecord(
        version: stamp.version, factorsSHA256: stamp.factorsSHA256,
        files: [change.undo] + others)
      var recorded = edit
      recorded.setKeys.append((UndoRecord.key, .array(GGUFArray(try record.encoded()))))
      let next = try shard.change(recorded, minimumInsertion: change.inserted)
      if next.undo == change.undo { return next }
      change = next
    }
    throw PatchError.unsupported(shard.file.path, "no undo record that tells its own size could be made")
  }

  /// One shard's edit, its inverse, and what undoes it once it is made.
  struct Change {
    var layout: LayoutEdit
    var inverse: LayoutEdit
    var undo: UndoRecord.File

    var inserted: Int {
      if case .insert(_, let count) = layout.resize { count } else { 0 }
    }
  }

  private struct Shard: ~Copyable {
    let number: Int
    let file: GGUFFile

    func change(_ edit: GGUFEdit, minimumInsertion: Int = 0) throws -> Change {
      let bytes = file.map.bytes
      let layout = edit.layout(
        of: file.header, bytes: bytes, blockSize: try blockSize, minimumInsertion: minimumInsertion)
      let inverse = layout.inverse { bytes.copy($0) }
      let head = layout.preview(layout.headEnd(file.header), of: bytes)
      let edited = try GGUFHeader(parsing: head.rawSpan, requireData: false)
      let marks = GGUFMarks(edited, bytes: head.rawSpan)
      return Change(
        layout: layout, inverse: inverse,
        undo: UndoRecord.File(name: String(number), layout: inverse, marks: marks))
    }

    /// Blocks that the file system can insert; of 4096 bytes where it names something unusual.
    private var blockSize: Int {
      get throws {
        let size = try FileStatus(of: file.path, followingLinks: true).blockSize
        return size.nonzeroBitCount == 1 && (512...65_536) ~= size ? size : 4096
      }
    }

    func fileEdit(_ change: Change) -> FileEdit {
      FileEdit(
        name: FileSystem.name(of: file.path),
        action: .layout(change.layout, inverse: change.inverse))
    }
  }
}

extension LayoutEdit {
  /// Where the head of an edited GGUF file surely has ended.
  func headEnd(_ old: GGUFHeader) -> Int {
    let inserted = if case .insert(_, let count) = resize { count } else { 0 }
    let written = writes.filter { $0.offset <= old.end + inserted }.map(\.end).max() ?? 0
    return max(old.dataOffset + inserted, written)
  }
}
