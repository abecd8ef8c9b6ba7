/// The element types of ggml tensors: a block of so many elements takes so many bytes.
///
/// The numbers are those of `enum ggml_type` in ggml.h and of gguf-py's `GGML_QUANT_SIZES`.
public struct GGMLType: Hashable, Sendable {
  public let number: UInt32
  public let name: String
  public let blockElements: Int
  public let blockBytes: Int

  private init(_ number: UInt32, _ name: String, _ blockElements: Int, _ blockBytes: Int) {
    self.number = number
    self.name = name
    self.blockElements = blockElements
    self.blockBytes = blockBytes
  }

  public static let f32 = GGMLType(0, "F32", 1, 4)

  private static let table: [UInt32: GGMLType] = {
    let all: [GGMLType] = [
      f32, .init(1, "F16", 1, 2),
      .init(2, "Q4_0", 32, 18), .init(3, "Q4_1", 32, 20),
      .init(6, "Q5_0", 32, 22), .init(7, "Q5_1", 32, 24),
      .init(8, "Q8_0", 32, 34), .init(9, "Q8_1", 32, 40),
      .init(10, "Q2_K", 256, 84), .init(11, "Q3_K", 256, 110), .init(12, "Q4_K", 256, 144),
      .init(13, "Q5_K", 256, 176), .init(14, "Q6_K", 256, 210), .init(15, "Q8_K", 256, 292),
      .init(16, "IQ2_XXS", 256, 66), .init(17, "IQ2_XS", 256, 74),
      .init(18, "IQ3_XXS", 256, 98), .init(19, "IQ1_S", 256, 50),
      .init(20, "IQ4_NL", 32, 18), .init(21, "IQ3_S", 256, 110),
      .init(22, "IQ2_S", 256, 82), .init(23, "IQ4_XS", 256, 136),
      .init(24, "I8", 1, 1), .init(25, "I16", 1, 2), .init(26, "I32", 1, 4),
      .init(27, "I64", 1, 8), .init(28, "F64", 1, 8),
      .init(29, "IQ1_M", 256, 56), .init(30, "BF16", 1, 2),
      .init(34, "TQ1_0", 256, 54), .init(35, "TQ2_0", 256, 66),
      .init(39, "MXFP4", 32, 17), .init(40, "NVFP4", 64, 36),
      .init(41, "Q1_0", 128, 18), .init(42, "Q2_0", 64, 18),
    ]
    return Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0) })
  }()

  /// Numbers that once meant a type; llama.cpp refuses files with them.
  private static let removed: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8",
    36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8",
  ]

  /// By its name in ggml, such as Q8_0.
  public static func named(_ name: String) -> GGMLType? { table.values.first { $0.name == name } }

  public static var all: [GGMLType] { table.values.sorted { $0.number < $1.number } }

  /// - Throws: `unknownTensorType` or `removedTensorType`.
  public init(number: UInt32) throws(FormatError) {
    if let known = Self.table[number] {
      self = known
    } else if let name = Self.removed[number] {
      throw FormatError(.removedTensorType(name))
    } else {
      throw FormatError(.unknownTensorType(number))
    }
  }
}
