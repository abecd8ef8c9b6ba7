import Formats
import Models

/// Turns edits of keys and tensors into edits of files, with the undo record in the first shard.
struct GGUFFileEdits {
  let model: GGUFModel
  let mark: PatchMark

  /// The edits of the files that change.
  /// - Parameter edits: one edit per shard.
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

  /// The edit of the first shard.
  ///
  /// The undo record contains the growth of the file that contains it, so it is computed repeatedly
  /// until it is consistent. This terminates because the insertion never shrinks.
  private func firstChange(
    _ shard: borrowing Shard, _ edit: GGUFEdit, others: [UndoRecord.File]
  ) throws -> Change {
    var change = try shard.change(edit)
    for _ in 0..<32 {
      let record = UndoRecord(
        version: mark.version, factorsSHA256: mark.factorsSHA256,
        files: [change.undo] + others)
      var recorded = edit
      recorded.setKeys.append((UndoRecord.key, .array(GGUFArray(try record.encoded()))))
      let next = try shard.change(recorded, minimumInsertion: change.inserted)
      if next.undo == change.undo { return next }
      change = next
    }
    throw ModelError.unsupported(
      shard.file.path, "could not make an undo record that contains its own size")
  }

  /// The edit of one shard, its inverse, and its part of the undo record.
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

    /// The block size of the file system, or 4096 if it reports an unusual size.
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
  /// A position at which the header of an edited GGUF file has certainly ended.
  func headEnd(_ old: GGUFHeader) -> Int {
    let inserted = if case .insert(_, let count) = resize { count } else { 0 }
    let written = writes.filter { $0.offset <= old.end + inserted }.map(\.end).max() ?? 0
    return max(old.dataOffset + inserted, written)
  }
}
