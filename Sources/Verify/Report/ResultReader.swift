import Formats
import Models
import Patch

/// Reads the members of a saved result.
///
/// Every method throws a `ModelError` that names the member.
struct ResultReader {
  let json: JSONValue
  private let subject: String

  init(_ json: JSONValue, _ subject: String) {
    self.json = json
    self.subject = subject
  }

  func value(_ name: String) throws -> JSONValue {
    try json[name].orThrow(wrong(name, "a value"))
  }

  func text(_ name: String) throws -> String {
    try (json[name]?.text).orThrow(wrong(name, "a string"))
  }

  /// A text that is shown, with control characters made visible.
  func name(_ name: String) throws -> String { try text(name).sanitized }

  /// A text that may be missing or null.
  func optionalText(_ name: String) throws -> String? {
    guard let value = json[name], !value.isNull else { return nil }
    return try text(name)
  }

  /// A name that may be missing or null.
  func optionalName(_ name: String) throws -> String? {
    guard let value = json[name], !value.isNull else { return nil }
    return try self.name(name)
  }

  func flag(_ name: String) throws -> Bool {
    try (json[name]?.flag).orThrow(wrong(name, "true or false"))
  }

  /// No measured number comes near the limits.
  ///
  /// A larger one would be infinite in a percentage or a plot.
  func number(_ name: String) throws -> Double {
    let number = try (json[name]?.double).orThrow(wrong(name, "a number"))
    guard number.magnitude <= 1e100 else { throw wrong(name, "a number of at most 1e100") }
    return number
  }

  /// The member `seconds`: the time that a run took.
  func seconds() throws -> Double {
    let number = try number("seconds")
    guard (0...1e12).contains(number) else { throw wrong("seconds", "a number from 0 to 1e12") }
    return number
  }

  func count(_ name: String) throws -> Int {
    let number = try (json[name]?.integer).orThrow(wrong(name, "a whole number"))
    guard (0...1 << 50).contains(number) else {
      throw wrong(name, "a whole number that is not negative")
    }
    return number
  }

  func length() throws -> Int {
    let length = try count("length")
    guard length > 0 else { throw wrong("length", "a positive whole number") }
    return length
  }

  /// 0 for tasks without depths.
  func depth() throws -> Double {
    guard let depth = json["depth"], !depth.isNull else { return 0 }
    guard let value = depth.double, (0...1).contains(value) else {
      throw wrong("depth", "a number from 0 to 1")
    }
    return value
  }

  /// The reader of a member that is an object.
  func inside(_ name: String) throws -> ResultReader {
    guard let value = json[name], value.members != nil else { throw wrong(name, "an object") }
    return ResultReader(value, "\(subject): \(name)")
  }

  func list<T>(_ name: String, _ make: (ResultReader) throws -> T) throws -> [T] {
    let elements = try (json[name]?.elements).orThrow(wrong(name, "a list"))
    return try elements.enumerated().map { index, element in
      try make(ResultReader(element, "\(subject): \(name)[\(index)]"))
    }
  }

  func texts(_ name: String) throws -> [String] {
    try (json[name]?.elements).orThrow(wrong(name, "a list of strings")).map {
      try $0.text.orThrow(wrong(name, "a list of strings"))
    }
  }

  func wrong(_ name: String, _ expected: String) -> ModelError {
    let found = json[name]?.summary ?? "missing"
    return .unsupported(
      subject, "not a saved result: '\(name)' is \(found), expected \(expected)")
  }
}

extension Optional {
  func orThrow(_ error: @autoclosure () -> ModelError) throws -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}
