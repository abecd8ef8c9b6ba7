import Formats
import Models

extension ModelTensor {
  /// The block of a type that can be converted.
  var block: ElementType.Block {
    guard let block = type.block else { preconditionFailure("\(type) is only copied") }
    return block
  }

  /// The error for a tensor with a type that cannot be converted.
  func unconvertible(_ path: String) -> ModelError {
    .unsupported(path, "tensor '\(name)' is \(type), which cannot be converted")
  }
}
