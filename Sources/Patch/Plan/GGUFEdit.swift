import Formats

/// Changes to the keys and tensors of one GGUF file, without rewriting the data.
///
/// A key that keeps its size is overwritten in place. A key that is removed or changes its size is
/// taken out of the list if it is near the end, where rewriting is cheap. If megabytes of
/// vocabulary follow it, it is renamed to an unused `lrpatch.void.` key of the same length instead.
/// New keys are appended. If the header then needs more room, whole file system blocks are inserted
/// before its tail, and `lrpatch.padding` fills the rest of them, because llama.cpp requires the
/// data to begin right after the padded header:
///
///     | header ... vocabulary | keys, tensor list | data | new tensors |
///                             ^ blocks are inserted here; what follows moves without being copied
struct GGUFEdit: Equatable, Sendable {
  var setKeys: [(name: String, value: GGUFValue)] = []
  var removedKeys: Set<String> = []
  /// New names of tensors by their old names.
  ///
  /// The data stays in place.
  var renamedTensors: [String: String] = [:]
  /// New data of existing tensors, by their new names.
  ///
  /// The size does not change.
  var tensorData: [(name: String, bytes: [UInt8])] = []
  /// One-dimensional tensors of 32-bit floats to append.
  var addedTensors: [(name: String, values: [Float])] = []

  static let paddingKey = "lrpatch.padding"
  static let voidPrefix = "lrpatch.void."
  /// The largest number of bytes of unchanged keys that are rewritten to remove a key.
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

  /// The change of bytes that performs this edit.
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - blockSize: the block size of the file system; multiples of it can be inserted.
  ///   - minimumInsertion: the smallest number of bytes to insert.
  func layout(
    of header: GGUFHeader, bytes: RawSpan, blockSize: Int, minimumInsertion: Int = 0
  ) -> LayoutEdit {
    var builder = GGUFByteLayout(
      edit: self, header: header, blockSize: blockSize, minimumInsertion: minimumInsertion)
    return builder.build(bytes)
  }
}
