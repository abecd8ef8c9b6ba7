import Formats

/// Changes to the keys and tensors of one GGUF file, and the layout that carries them out.
///
/// The data of a model is never rewritten. Keys that keep their size are overwritten where they stand. A key that goes,
/// or changes its size, leaves the tail of the key list when it stands near the end, where rewriting is cheap; before
/// a vocabulary of megabytes it is renamed to a meaningless `lrpatch.void.` key of the same length instead. New keys
/// follow the last one. Where the header then outgrows its room, whole blocks are inserted before it, and
/// `lrpatch.padding` fills what is left over, since llama.cpp wants the data to begin right after the padded header:
///
///     | header ... vocabulary | B: keys, tensor list | data | new tensors |
///                             ^ blocks go in here, everything after moves without being copied
struct GGUFEdit: Equatable, Sendable {
  var setKeys: [(name: String, value: GGUFValue)] = []
  var removedKeys: Set<String> = []
  /// Old name to new name; the data stays in its place.
  var renamedTensors: [String: String] = [:]
  /// New data for tensors that are there (under their new names), of exactly their size.
  var tensorData: [(name: String, bytes: [UInt8])] = []
  /// One-dimensional 32-bit float tensors to append.
  var addedTensors: [(name: String, values: [Float])] = []

  static let paddingKey = "lrpatch.padding"
  static let voidPrefix = "lrpatch.void."
  /// The most bytes of unchanged keys that are rewritten to remove a key cleanly.
  static let tailLimit = 64 << 10

  var isEmpty: Bool {
    setKeys.isEmpty && removedKeys.isEmpty && renamedTensors.isEmpty && tensorData.isEmpty
      && addedTensors.isEmpty
  }

  static func == (left: GGUFEdit, right: GGUFEdit) -> Bool {
    left.removedKeys == right.removedKeys && left.renamedTensors == right.renamedTensors
      && left.setKeys.elementsEqual(right.setKeys, by: ==)
      && left.tensorData.elementsEqual(right.tensorData, by: ==)
      && left.addedTensors.elementsEqual(right.addedTensors, by: ==)
  }

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - blockSize: the file system's, whose multiples can be inserted.
  ///   - minimumInsertion: bytes to insert even where fewer would do.
  func layout(
    of header: GGUFHeader, bytes: RawSpan, blockSize: Int, minimumInsertion: Int = 0
  ) -> LayoutEdit {
    var builder = GGUFLayoutBuilder(
      edit: self, header: header, blockSize: blockSize, minimumInsertion: minimumInsertion)
    return builder.build(bytes)
  }
}
