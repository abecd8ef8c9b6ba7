/// A JSON value.
///
/// Objects keep the order of their members. Numbers keep their text, so that
/// 1000000000000000019884624838656 or -0 survive.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])

  /// A number with the decimal digits of an integer.
  public static func number(_ value: Int) -> JSONValue { .number(String(value)) }

  /// The shortest text that reads back as the same number, or null for NaN and infinity.
  public static func number(_ value: Double) -> JSONValue {
    value.isFinite ? .number("\(value)") : .null
  }

  /// A list of numbers, with null for NaN and infinity.
  public static func numbers(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }

  /// An object with the members of a dictionary literal, in its order.
  public static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(members.map { JSONMember($0.key, $0.value) })
  }

  /// A member of an object, or nil.
  public subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The value of a number, otherwise nil.
  ///
  /// Also nil for a number beyond the range of `Double`.
  public var double: Double? {
    guard case .number(let text) = self, let value = Double(text), value.isFinite else {
      return nil
    }
    return value
  }

  /// The value if it is a whole number, even if it is written as `4096.0`, otherwise nil.
  public var integer: Int? { double.flatMap { Int(exactly: $0) } }

  /// The value of a string, otherwise nil.
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  /// The value of a boolean, otherwise nil.
  public var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  /// The elements of a list, otherwise nil.
  public var elements: [JSONValue]? { if case .array(let all) = self { all } else { nil } }
  /// The members of an object in their order, otherwise nil.
  public var members: [JSONMember]? { if case .object(let all) = self { all } else { nil } }
  /// Whether the value is null.
  public var isNull: Bool { self == .null }

  /// The numbers of a list of numbers, otherwise nil.
  public var doubles: [Double]? {
    guard let elements else { return nil }
    let values = elements.compactMap(\.double)
    return values.count == elements.count ? values : nil
  }

  /// The kind of value with its article, for errors.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// Whether both values mean the same: numbers are compared by value, and members in any order.
  public func means(_ other: JSONValue) -> Bool {
    switch (self, other) {
    case (.number(let left), .number(let right)):
      return left == right || (double != nil && double == other.double)
    case (.array(let left), .array(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { $0.means($1) }
    case (.object(let left), .object(let right)):
      return left.count == right.count
        && left.allSatisfy { member in other[member.name].map(member.value.means) ?? false }
    default: return self == other
    }
  }
}

/// One member of an object.
public struct JSONMember: Equatable, Sendable {
  /// The name, with escapes decoded.
  public var name: String
  /// The value.
  public var value: JSONValue

  /// Creates a member.
  public init(_ name: String, _ value: JSONValue) {
    self.name = name
    self.value = value
  }
}
