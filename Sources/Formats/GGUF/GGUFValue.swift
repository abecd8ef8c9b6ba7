/// One metadata value.
///
/// Arrays are not copied from the file, so that listing a vocabulary costs nothing.
public enum GGUFValue: Equatable, Sendable {
  case uint8(UInt8), int8(Int8), uint16(UInt16), int16(Int16)
  case uint32(UInt32), int32(Int32), uint64(UInt64), int64(Int64)
  case float32(Float), float64(Double), bool(Bool)
  case string(String)
  case array(GGUFArray)

  /// The type under which the value is stored.
  public var type: GGUFValueType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .uint64: .uint64
    case .int64: .int64
    case .float32: .float32
    case .float64: .float64
    case .bool: .bool
    case .string: .string
    case .array: .array
    }
  }

  /// The value of an integer of any width, or nil for other types and above 2^63 - 1.
  public var integer: Int? {
    switch self {
    case .uint8(let value): Int(value)
    case .int8(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .int64(let value): Int(value)
    default: nil
    }
  }

  /// The value of a floating-point number, or nil for other types.
  public var double: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    default: nil
    }
  }

  /// The value of a string, or nil for other types.
  public var text: String? {
    if case .string(let value) = self { value } else { nil }
  }
}

/// The type numbers of GGUF metadata values.
public enum GGUFValueType: UInt32, CaseIterable, Sendable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array
  case uint64, int64, float64

  /// The name that gguf-py uses.
  public var name: String {
    switch self {
    case .uint8: "UINT8"
    case .int8: "INT8"
    case .uint16: "UINT16"
    case .int16: "INT16"
    case .uint32: "UINT32"
    case .int32: "INT32"
    case .float32: "FLOAT32"
    case .bool: "BOOL"
    case .string: "STRING"
    case .array: "ARRAY"
    case .uint64: "UINT64"
    case .int64: "INT64"
    case .float64: "FLOAT64"
    }
  }

  /// The bytes of one value, or nil if they vary.
  var width: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }

  /// The fewest bytes that one value can take.
  ///
  /// They limit a declared count.
  var minimumBytes: Int {
    switch self {
    case .string: 8
    case .array: 12
    default: width ?? 1
    }
  }
}

/// An array value: its element type, its count, and its elements or their place in the file.
public struct GGUFArray: Equatable, Sendable {
  /// Where the elements are.
  public enum Elements: Equatable, Sendable {
    /// The range of the file from which the value was read.
    case inFile(Range<Int>)
    /// The encoded elements of a new value.
    case bytes([UInt8])
  }

  /// The type of every element.
  public var elementType: GGUFValueType
  /// The number of elements.
  public var count: Int
  /// The encoded elements, or their place in the file.
  public var elements: Elements

  /// Creates an array from its parts.
  public init(elementType: GGUFValueType, count: Int, elements: Elements) {
    self.elementType = elementType
    self.count = count
    self.elements = elements
  }

  /// A new array of type UINT8.
  public init(_ bytes: [UInt8]) {
    self.init(elementType: .uint8, count: bytes.count, elements: .bytes(bytes))
  }

  /// The size of the encoded elements in bytes.
  public var byteCount: Int {
    switch elements {
    case .inFile(let range): range.count
    case .bytes(let bytes): bytes.count
    }
  }

  /// The encoded elements.
  /// - Parameter file: the file from which the array was read.
  public func encodedElements(in file: RawSpan) -> [UInt8] {
    switch elements {
    case .inFile(let range): file.copy(range)
    case .bytes(let bytes): bytes
    }
  }
}
