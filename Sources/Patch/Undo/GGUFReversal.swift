import Formats
import Models

/// The undoing of the last apply in one GGUF file.
struct GGUFReversal: ~Copyable {
  let path: String
  private let file: GGUFFile
  private let layout: LayoutEdit
  private let marks: GGUFMarks

  /// - Parameters:
  ///   - layout: the edit that restores the file as it was before the apply.
  ///   - marks: those of the file after the apply.
  init(path: String, layout: LayoutEdit, marks: GGUFMarks) throws {
    self.path = path
    self.layout = layout
    self.marks = marks
    file = try GGUFFile(path: path)
  }

  /// The edit that restores the file, whose header is checked to be valid.
  /// - Throws: `ModelError` of kind `unsafe` if the file was edited after the apply, unless the
  ///   edits can be kept and are to be.
  func edit(keepingEdits: Bool) throws -> FileEdit {
    let edited = marks.differences(from: GGUFMarks(file.header, bytes: file.map.bytes))
    let differences = edited.isEmpty ? differenceOfSize : edited.map(\.description)
    var layout = layout
    if !differences.isEmpty {
      let edits = try? keptEdits(edited)
      guard keepingEdits else {
        let way =
          edits == nil
          ? "Take the edits back" : "Take the edits back, or pass --keep-edits to keep them"
        throw refusal(differences, "\(way), or put other factors into the file with apply")
      }
      for (key, bytes) in try edits ?? keptEdits(edited) { layout.overwrite(key, with: bytes) }
    }
    guard layout.isPlausible(forFileOf: file.map.bytes.byteCount) else { throw damaged }
    _ = try restoredHeader(by: layout)
    return FileEdit(
      name: FileSystem.name(of: path),
      action: .layout(layout, inverse: layout.inverse { file.map.bytes.copy($0) }))
  }

  private var differenceOfSize: [String] {
    let size = file.map.bytes.byteCount
    return size == layout.oldSize ? [] : ["the file has \(size) bytes instead of \(layout.oldSize)"]
  }

  private var damaged: ModelError { .unsupported(path, "its undo record is damaged") }

  private func refusal(_ differences: [String], _ advice: String) -> ModelError {
    .unsafe(
      path,
      "was edited after it was patched: \(differences.joined(separator: "; ")). \(advice)")
  }

  private func restoredHeader(
    by layout: LayoutEdit
  ) throws -> (header: GGUFHeader, bytes: [UInt8]) {
    let head = layout.preview(layout.headEnd(file.header), of: file.map.bytes)
    return (try GGUFHeader(parsing: head.rawSpan, requireData: false), head)
  }

  /// The edited keys as they are now, with the ranges that they have in the restored file.
  ///
  /// An edit in place leaves everything else where it was, so the record still fits the file.
  /// - Throws: `ModelError` of kind `unsafe` for another edit, or for one of a key that the apply
  ///   changed.
  private func keptEdits(
    _ edits: [GGUFMarks.Difference]
  ) throws -> [(range: Range<Int>, bytes: [UInt8])] {
    let names = edits.compactMap(\.changedKey)
    guard !edits.isEmpty, names.count == edits.count, differenceOfSize.isEmpty,
      layout.isPlausible(forFileOf: file.map.bytes.byteCount)
    else {
      throw refusal(
        edits.isEmpty ? differenceOfSize : edits.map(\.description),
        "--keep-edits keeps values that were overwritten in place. Restore the file as it was after the apply, or put other factors into it with apply"
      )
    }
    let restored = try restoredHeader(by: layout)
    let before = GGUFMarks(restored.header, bytes: restored.bytes.rawSpan)
    let now = GGUFMarks(file.header, bytes: file.map.bytes)
    return try names.map { name in
      guard let old = restored.header.keys.first(where: { $0.name == name }),
        let edited = file.header.keys.first(where: { $0.name == name }),
        old.range.count == edited.range.count,
        [now.keys[name], marks.keys[name]].contains(before.keys[name])
      else {
        throw refusal(
          edits.map(\.description),
          "The apply itself changed '\(name.sanitized)': restore that key, or put other factors into the file with apply"
        )
      }
      return (old.range, file.map.bytes.copy(edited.range))
    }
  }
}
