/// An element type of a tensor, in GGUF and safetensors files alike: one row of one table.
///
/// Numbers and block sizes are those of `enum ggml_type` in ggml.h and of gguf-py's
/// `GGML_QUANT_SIZES`; names and widths of the other types are those of safetensors 0.8. What can
/// be computed with a type is known by the kernels' own table (CKernels' `element_types.h`).
public struct ElementType: Sendable {
  /// The unit that is stored as a whole.
  public struct Block: Hashable, Sendable {
    /// Numbers in a block.
    public var elements: Int
    /// Bytes that a block takes.
    public var bytes: Int
  }

  /// The spelling of ggml and safetensors: `F32`, `Q4_K`, `F8_E4M3`.
  public let name: String
  /// The block, or nil for a safetensors dtype that the table lacks.
  ///
  /// Tensors of an unlisted dtype are copied unchanged.
  public let block: Block?
  /// The number in `enum ggml_type`, or nil if GGUF lacks the type.
  public let ggmlNumber: UInt32?
  /// `general.file_type`, llama.cpp's number for a file of mostly this type.
  public let fileType: UInt32?

  /// A safetensors dtype by its name, even if the table lacks it.
  public init(safetensors name: String) {
    self = Self.byName[name] ?? Self(name, nil)
  }

  /// A type by its number in `enum ggml_type`.
  /// - Throws: `unknownTensorType` or `removedTensorType`.
  public init(ggmlNumber number: UInt32) throws(FormatError) {
    if let known = Self.byNumber[number] {
      self = known
    } else if let name = Self.removed[number] {
      throw FormatError(.removedTensorType(name))
    } else {
      throw FormatError(.unknownTensorType(number))
    }
  }

  private init(_ name: String, _ block: Block?, ggml: UInt32? = nil, file: UInt32? = nil) {
    self.name = name
    self.block = block
    ggmlNumber = ggml
    fileType = file
  }

  private init(
    _ name: String, _ elements: Int, _ bytes: Int, ggml: UInt32? = nil, file: UInt32? = nil
  ) {
    self.init(name, Block(elements: elements, bytes: bytes), ggml: ggml, file: file)
  }

  /// Bits of one element, or nil for a dtype that the table lacks.
  var bits: Int? { block.map { 8 * $0.bytes / $0.elements } }

  /// Whether an element is a number by itself, so that infinity and NaN can be stored.
  public var isSingleNumber: Bool { block?.elements == 1 }

  /// Whether the elements are integers or booleans, which a conversion of types leaves alone.
  public var isInteger: Bool { Self.integers.contains(self) }

  // MARK: The table

  /// 32-bit floats.
  public static let f32 = ElementType("F32", 1, 4, ggml: 0, file: 0)
  /// IEEE half precision.
  public static let f16 = ElementType("F16", 1, 2, ggml: 1, file: 1)
  /// bfloat16: the upper half of a 32-bit float.
  public static let bf16 = ElementType("BF16", 1, 2, ggml: 30, file: 32)
  /// 4 bits and a scale.
  public static let q40 = ElementType("Q4_0", 32, 18, ggml: 2, file: 2)
  /// 4 bits, a scale and a minimum.
  public static let q41 = ElementType("Q4_1", 32, 20, ggml: 3, file: 3)
  /// 5 bits and a scale.
  public static let q50 = ElementType("Q5_0", 32, 22, ggml: 6, file: 8)
  /// 5 bits, a scale and a minimum.
  public static let q51 = ElementType("Q5_1", 32, 24, ggml: 7, file: 9)
  /// 8 bits and a scale.
  public static let q80 = ElementType("Q8_0", 32, 34, ggml: 8, file: 7)
  /// 2 bits in a super-block of 256.
  public static let q2K = ElementType("Q2_K", 256, 84, ggml: 10, file: 10)
  /// 3 bits in a super-block of 256.
  public static let q3K = ElementType("Q3_K", 256, 110, ggml: 11, file: 12)
  /// 4 bits in a super-block of 256.
  public static let q4K = ElementType("Q4_K", 256, 144, ggml: 12, file: 15)
  /// 5 bits in a super-block of 256.
  public static let q5K = ElementType("Q5_K", 256, 176, ggml: 13, file: 17)
  /// 6 bits in a super-block of 256.
  public static let q6K = ElementType("Q6_K", 256, 210, ggml: 14, file: 18)
  /// 4 bits that index a table of 16 values.
  public static let iq4NL = ElementType("IQ4_NL", 32, 18, ggml: 20, file: 25)
  /// The same in a super-block of 256.
  public static let iq4XS = ElementType("IQ4_XS", 256, 136, ggml: 23, file: 30)

  /// 32-bit integers.
  public static let i32 = ElementType("I32", 1, 4, ggml: 26)
  /// Bytes.
  public static let u8 = ElementType("U8", 1, 1)

  private static let integers: [ElementType] = [
    .init("I8", 1, 1, ggml: 24), .init("I16", 1, 2, ggml: 25), i32,
    .init("I64", 1, 8, ggml: 27), u8, .init("U16", 1, 2), .init("U32", 1, 4),
    .init("U64", 1, 8), .init("BOOL", 1, 1),
  ]

  /// Every listed type.
  public static let all: [ElementType] =
    [f32, f16, bf16, q40, q41, q50, q51, q80, q2K, q3K, q4K, q5K, q6K, iq4NL, iq4XS] + integers + [
      .init("F64", 1, 8, ggml: 28), .init("C64", 1, 8),
      .init("Q8_1", 32, 40, ggml: 9), .init("Q8_K", 256, 292, ggml: 15),
      .init("IQ2_XXS", 256, 66, ggml: 16), .init("IQ2_XS", 256, 74, ggml: 17),
      .init("IQ3_XXS", 256, 98, ggml: 18), .init("IQ1_S", 256, 50, ggml: 19),
      .init("IQ3_S", 256, 110, ggml: 21), .init("IQ2_S", 256, 82, ggml: 22),
      .init("IQ1_M", 256, 56, ggml: 29), .init("TQ1_0", 256, 54, ggml: 34),
      .init("TQ2_0", 256, 66, ggml: 35), .init("MXFP4", 32, 17, ggml: 39),
      .init("NVFP4", 64, 36, ggml: 40), .init("Q1_0", 128, 18, ggml: 41),
      .init("Q2_0", 64, 18, ggml: 42),
      .init("F8_E5M2", 1, 1), .init("F8_E4M3", 1, 1), .init("F8_E8M0", 1, 1),
      .init("F8_E4M3FNUZ", 1, 1), .init("F8_E5M2FNUZ", 1, 1),
      .init("F6_E2M3", 4, 3), .init("F6_E3M2", 4, 3), .init("F4", 2, 1),
    ]

  /// The types that were removed from the format, by number.
  ///
  /// llama.cpp refuses files with them.
  private static let removed: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8",
    36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8",
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
  private static let byNumber = Dictionary(
    uniqueKeysWithValues: all.compactMap { type in type.ggmlNumber.map { ($0, type) } })

  /// A listed type by its name, such as `Q8_0`.
  public static func named(_ name: String) -> ElementType? { byName[name] }
}

extension ElementType: Hashable {
  /// Whether both have the same name.
  public static func == (left: ElementType, right: ElementType) -> Bool { left.name == right.name }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension ElementType: CustomStringConvertible {
  /// The name.
  public var description: String { name }
}

extension ElementType {
  /// The number and the block of a type that exists in GGUF.
  var ggml: (number: UInt32, block: Block) {
    guard let ggmlNumber, let block else { preconditionFailure("GGUF has no type \(name)") }
    return (ggmlNumber, block)
  }

  /// The rank in the order of safetensors' writer, which sorts by type, highest first, then by
  /// name.
  var safetensorsRank: Int {
    let order = [
      "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0",
      "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64",
      "I64", "U64",
    ]
    return order.firstIndex(of: name) ?? -1
  }
}
