/// An element type of a safetensors file. Unknown names are carried through untouched.
public struct SafetensorsDType: Hashable, Sendable {
  public let name: String

  public init(_ name: String) { self.name = name }

  public static let f32 = SafetensorsDType("F32")

  /// Bits of one element, or nil for a name that this table lacks. The table is that of safetensors 0.8.
  public var bits: Int? { Self.table[name] }

  private static let table: [String: Int] = [
    "F64": 64, "I64": 64, "U64": 64, "C64": 64,
    "F32": 32, "I32": 32, "U32": 32,
    "F16": 16, "BF16": 16, "I16": 16, "U16": 16,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I8": 8, "U8": 8, "BOOL": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
  ]

  /// The place among the reference writer's order: it sorts by the type's rank, highest first, then by name.
  var rank: Int {
    let order = [
      "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0",
      "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64",
      "F64", "I64", "U64",
    ]
    return order.firstIndex(of: name) ?? -1
  }
}
