import Formats
import Verify

/// A tensor as it stands in a file of the model that is converted.
struct StoredTensor: Sendable {
  var name: String
  /// As the file names it: a ggml type or a safetensors dtype.
  var typeName: String
  /// The slowest-varying dimension first.
  var shape: [Int]
  var file: WeightFile
  /// Of its first byte in the file.
  var offset: Int
  var byteCount: Int

  /// Nil for a type whose numbers cannot be read here.
  var type: WeightType? { WeightType(rawValue: typeName) }
  var elements: Int { shape.reduce(1, *) }
  var range: Range<Int> { offset..<offset + byteCount }

  /// One of the equal parts along the first dimension: one expert's matrix of a stack.
  func part(_ index: Int, of count: Int) -> StoredTensor {
    precondition(shape.first == count && byteCount % max(1, count) == 0)
    var part = self
    part.shape.removeFirst()
    part.byteCount = byteCount / count
    part.offset = offset + index * part.byteCount
    return part
  }
}
