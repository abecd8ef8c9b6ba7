import Patch
import Verify

/// What tensors are stored as.
public enum TensorType: String, CaseIterable, Sendable {
  /// As they are.
  case auto
  case f32, f16, bf16
  case q80 = "q8_0"
  case q40 = "q4_0"
  case q41 = "q4_1"
  case q50 = "q5_0"
  case q51 = "q5_1"
  case q4K = "q4_k"
  case q5K = "q5_k"
  case q6K = "q6_k"

  var stored: WeightType? { self == .auto ? nil : WeightType(rawValue: rawValue.uppercased()) }

  /// Whether safetensors has it.
  var isPlain: Bool { stored?.storesAnyFloat ?? true }
}

extension WeightType {
  /// `general.file_type`, llama.cpp's number for a file of mostly this type.
  var fileType: UInt32? {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q40: 2
    case .q41: 3
    case .q80: 7
    case .q50: 8
    case .q51: 9
    case .q2K: 10
    case .q3K: 12
    case .q4K: 15
    case .q5K: 17
    case .q6K: 18
    case .iq4NL: 25
    case .iq4XS: 30
    case .bf16: 32
    }
  }

  /// The type of rows that this one's blocks do not fit, as llama.cpp's converter and quantizer fall back.
  func fitting(columns: Int) -> WeightType {
    if columns % block.elements == 0 { return self }
    let smaller: WeightType =
      switch self {
      case .q4K: .q50
      case .q5K: .q51
      case .q6K: .q80
      default: .f16
      }
    return columns % smaller.block.elements == 0 ? smaller : .f16
  }
}
