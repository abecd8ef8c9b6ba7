package import Formats

/// The hyperparameters of one model, looked up in either format through its architecture's table.
public struct Hyperparameters: Sendable {
  private enum Source {
    case config(JSONValue)
    case keys(GGUFHeader, prefix: String)
  }

  private let source: Source
  private let table: [Hyperparameter]
  /// The file that error messages name.
  private let path: String

  package init(config: JSONValue, _ architecture: Architecture, path: String) {
    source = .config(config)
    table = architecture.hyperparameters
    self.path = path
  }

  package init(_ header: GGUFHeader, _ architecture: Architecture, path: String) {
    source = .keys(header, prefix: architecture.gguf?.name ?? architecture.name)
    table = architecture.hyperparameters
    self.path = path
  }

  // MARK: By quantity

  /// A whole number of at least 1.
  /// - Throws: `ModelError` if the number is missing, 0 or not a whole number.
  public func count(_ quantity: Hyperparameter.Quantity) throws(ModelError) -> Int {
    if let number = try optionalCount(quantity) { return number }
    throw missing(quantity)
  }

  /// A whole number of at least 1, or nil if the number is missing or 0.
  /// - Throws: `ModelError` if the model contains something else.
  public func optionalCount(_ quantity: Hyperparameter.Quantity) throws(ModelError) -> Int? {
    guard let row = row(quantity) else { return nil }
    if let (name, value) = stored(row) {
      let number = try WholeNumber.read(value.number, found: value.text, name, from: 0, path)
      return number == 0 ? nil : number
    }
    return try absent(row, absence(row)).map { Int($0) }
  }

  /// The width of a query or key head: the model's number, or the width of the hidden state divided
  /// by the heads.
  /// - Throws: `ModelError` if a number is missing or not a whole number.
  public func headSize() throws(ModelError) -> Int {
    if let given = try optionalCount(.headDimension) { return given }
    return try count(.hidden) / count(.heads)
  }

  /// A whole number, 0 included, or nil if the number is missing.
  /// - Throws: `ModelError` if the model contains something else.
  public func optionalIndex(_ quantity: Hyperparameter.Quantity) throws(ModelError) -> Int? {
    guard let row = row(quantity) else { return nil }
    guard let (name, value) = stored(row) else {
      return try absent(row, absence(row)).map { Int($0) }
    }
    return try WholeNumber.read(value.number, found: value.text, name, from: 0, path)
  }

  /// Whether a config contains the member with the value null.
  public func isNull(_ quantity: Hyperparameter.Quantity) -> Bool {
    guard case .config(let config) = source, let name = row(quantity)?.config else { return false }
    return config[name]?.isNull == true
  }

  /// A finite number.
  /// - Throws: `ModelError` if the number is missing or not finite.
  public func number(_ quantity: Hyperparameter.Quantity) throws(ModelError) -> Double {
    if let number = try optionalNumber(quantity) { return number }
    throw missing(quantity)
  }

  /// A finite number that is not 0.
  /// - Throws: `ModelError` if the number is missing, not finite or 0.
  public func divisor(_ quantity: Hyperparameter.Quantity) throws(ModelError) -> Double {
    let number = try number(quantity)
    guard number != 0 else {
      let name = row(quantity).flatMap(name) ?? quantity.name
      throw .unsupported(path, "'\(name)' is 0, but logits are divided by it")
    }
    return number
  }

  /// A finite number, or nil if the number is missing.
  /// - Throws: `ModelError` if the number is not finite.
  public func optionalNumber(_ quantity: Hyperparameter.Quantity) throws(ModelError) -> Double? {
    guard let row = row(quantity) else { return nil }
    if let (name, value) = stored(row) {
      guard let number = value.number, number.isFinite else {
        throw .unsupported(path, "'\(name)' is \(value.text), expected a number")
      }
      if number == 0, case .keys = source, let zero = row.ggufZero {
        return try absent(row, zero)
      }
      return number
    }
    return try absent(row, absence(row))
  }

  /// The value of a number that the model does not contain, or nil if there is none.
  private func absent(
    _ row: Hyperparameter, _ absence: Hyperparameter.Absence
  ) throws(ModelError) -> Double? {
    switch absence {
    case .required, .none: nil
    case .value(let value): value
    case .computed(let compute): try compute(self)
    }
  }

  /// What the absence of a number means in this format.
  private func absence(_ row: Hyperparameter) -> Hyperparameter.Absence {
    switch source {
    case .config: row.absence
    case .keys: row.ggufAbsence
    }
  }

  /// Whether the model itself contains the number, so that it is neither a default nor missing.
  public func gives(_ quantity: Hyperparameter.Quantity) -> Bool {
    row(quantity).flatMap(stored) != nil
  }

  /// The table's row for a quantity.
  ///
  /// If there are several, one that this format can store.
  private func row(_ quantity: Hyperparameter.Quantity) -> Hyperparameter? {
    let rows = table.filter { $0.quantity == quantity }
    return rows.first { name(of: $0) != nil } ?? rows.first
  }

  private func name(of row: Hyperparameter) -> String? {
    switch source {
    case .config: row.config
    case .keys(_, let prefix): row.gguf.map { "\(prefix).\($0)" }
    }
  }

  private func missing(_ quantity: Hyperparameter.Quantity) -> ModelError {
    .unsupported(path, "'\(row(quantity).flatMap(name) ?? quantity.name)' is missing")
  }

  // MARK: Stored values

  private struct Value {
    var number: Double?
    var text: String
  }

  private func stored(_ row: Hyperparameter) -> (name: String, value: Value)? {
    guard let name = name(of: row) else { return nil }
    switch source {
    case .config(let config):
      guard let value = config[name], !value.isNull else { return nil }
      return (name, Value(number: value.double, text: value.shortText))
    case .keys(let header, _):
      guard let value = header[key: name] else { return nil }
      return (name, Value(number: value.number, text: value.shortText))
    }
  }
}

/// Reads the whole numbers that describe a model's size, with one limit and one error message for
/// both formats.
enum WholeNumber {
  /// No model has a larger size.
  ///
  /// The product of two sizes, and the sum of several such products, fits 64 bits.
  static let largest = 1 << 28

  /// - Parameters:
  ///   - number: the value, or nil if it is not a number.
  ///   - found: the value as the error message shows it.
  ///   - least: the smallest allowed number.
  static func read(
    _ number: Double?, found: String, _ name: String, from least: Int = 1, _ path: String
  ) throws(ModelError) -> Int {
    guard let number, let whole = Int(exactly: number), (least...largest).contains(whole) else {
      throw .unsupported(
        path, "'\(name.sanitized)' is \(found), expected a whole number from \(least) to \(largest)"
      )
    }
    return whole
  }
}

extension GGUFValue {
  /// The value of a number of any width.
  ///
  /// A 32-bit float becomes the decimal number that it denotes.
  package var number: Double? {
    if case .float32(let value) = self { return value.asDecimal }
    return double ?? integer.map(Double.init)
  }

  /// A number, or the type of any other value.
  var shortText: String {
    if let number {
      return number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
    return type == .array ? "a list with different values by layer" : type.name
  }
}

extension JSONValue {
  /// A number, or the kind of any other value.
  var shortText: String { if case .number(let text) = self { text } else { kind } }
}

extension Float {
  /// The number that the shortest decimal form denotes: 1.08, not 1.0800000429153442.
  package var asDecimal: Double { Double(description) ?? Double(self) }
}
