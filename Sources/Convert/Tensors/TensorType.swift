import Formats
import Patch

/// The type of matrices in the output of a conversion.
///
/// The raw value is the name on the command line.
public enum TensorType: String, CaseIterable, Sendable {
  /// The type of the source.
  case auto
  /// Single numbers, in either format.
  case f32, f16, bf16
  /// Quantized blocks, in GGUF files only.
  case q80 = "q8_0"
  case q40 = "q4_0"
  case q41 = "q4_1"
  case q50 = "q5_0"
  case q51 = "q5_1"
  case q4K = "q4_k"
  case q5K = "q5_k"
  case q6K = "q6_k"

  /// The element type, or nil for `auto`.
  var stored: ElementType? { self == .auto ? nil : ElementType.named(rawValue.uppercased()) }

  /// Whether safetensors files can have the type.
  var isPlain: Bool { stored?.isSingleNumber ?? true }
}

extension ElementType {
  /// This type, or a fallback if its blocks do not divide the rows.
  ///
  /// The fallbacks are those of llama.cpp's converter and quantizer.
  func fitting(columns: Int) -> ElementType {
    func fits(_ type: ElementType) -> Bool {
      type.block.map { columns % $0.elements == 0 } ?? false
    }
    if fits(self) { return self }
    let smaller: ElementType =
      switch self {
      case .q4K: .q50
      case .q5K: .q51
      case .q6K: .q80
      default: .f16
      }
    return fits(smaller) ? smaller : .f16
  }
}
