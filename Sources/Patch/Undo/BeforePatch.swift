import Formats
import Models

/// Rebuilds the description of a model before it was patched from its undo records. Nothing is
/// written. The weights are the same.
extension Inspection {
  /// Inspects a model as it was before it was patched.
  /// - Throws: `ModelError` if the model has no undo record, or if the record does not fit the
  ///   model.
  public init(beforePatching session: borrowing ModelSession) throws {
    switch session.format {
    case .folder: try self.init(Self.folder(session.path))
    case .gguf: try self.init(Self.gguf(session.path))
    }
  }

  private static func folder(_ path: String) throws -> ModelFolder {
    let model = try ModelFolder(path: path)
    let undo = UndoFolder(modelPath: path)
    guard let first = undo.names.first else { throw noRecord(path) }
    let file = try undo.record(first).files.first { $0.name == ModelFolder.configName }
    guard let before = file?.before?.bytes else { return model }
    return try ModelFolder(model, config: JSONDocument(parsing: before))
  }

  /// The largest plausible end of a factor tensor in a file.
  private static let longestHead = 256 << 20

  private static func gguf(_ path: String) throws -> GGUFModel {
    let paths = try GGUFModel.shardPaths(of: path)
    let first = try GGUFFile(path: paths[0])
    guard case .array(let array)? = first.header[key: UndoRecord.key] else { throw noRecord(path) }
    let record = try UndoRecord(
      decoding: array.encodedElements(in: first.map.bytes), subject: paths[0])
    var shards: [GGUFModel.Shard] = []
    var tables: [String: [Float]] = [:]
    for (number, path) in paths.enumerated() {
      let file = try GGUFFile(path: path)
      let layout =
        record.files.first { $0.name == String(number) }?.layout
        ?? LayoutEdit.none(file.map.byteCount)
      guard layout.isPlausible(forFileOf: file.map.byteCount) else {
        throw ModelError.unsupported(path, "its undo record does not fit the file")
      }
      let head = layout.preview(layout.headEnd(file.header), of: file.map.bytes)
      let header = try GGUFHeader(parsing: head.rawSpan, requireData: false)
      guard header[key: UndoRecord.key] == nil else {
        throw ModelError.unsupported(
          path, "was patched more than once; name the original model instead")
      }
      shards.append(GGUFModel.Shard(path: path, header: header, fileSize: layout.newSize))
      for name in GGUFModel.tableNames {
        guard let tensor = header.tensor(named: name), tensor.type == .f32 else { continue }
        let start = header.dataOffset + tensor.offset
        guard start + tensor.byteCount <= longestHead else {
          throw ModelError.unsupported(
            path,
            "the tensor '\(name)' is too far from the start of the file; name the original model instead"
          )
        }
        tables[name] = floats(
          layout.preview(start + tensor.byteCount, of: file.map.bytes)[start...])
      }
    }
    return try GGUFModel(shards: shards, tables: tables)
  }

  private static func floats(_ bytes: ArraySlice<UInt8>) -> [Float] {
    let span = Array(bytes).rawSpan
    return (0..<bytes.count / 4).map { Float(bitPattern: span.load(UInt32.self, at: $0 * 4)) }
  }

  private static func noRecord(_ path: String) -> ModelError {
    .unsupported(path, "has no record of a patch; name the original model instead")
  }
}

extension LayoutEdit {
  /// An edit that changes nothing.
  static func none(_ size: Int) -> LayoutEdit {
    LayoutEdit(oldSize: size, cutTo: size, resize: nil, writes: [])
  }
}
