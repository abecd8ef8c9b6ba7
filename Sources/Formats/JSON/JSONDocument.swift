/// A JSON text that can be edited without changing anything else in it.
///
/// An edit replaces the bytes of one member. Everything else stays as it was, including white
/// space, number text, escapes, a byte-order mark and line ends. New text follows the file's
/// indentation.
public struct JSONDocument: Equatable, Sendable {
  /// The current text, with a byte-order mark if it began with one.
  public private(set) var bytes: [UInt8]
  /// The parsed value of the text.
  public private(set) var value: JSONValue
  private var root: JSONNode
  private let style: JSONStyle

  /// Parses a text.
  /// - Throws: `FormatError` for bad syntax, invalid UTF-8, a duplicate key, or nesting deeper than
  ///   64.
  public init(parsing bytes: [UInt8]) throws(FormatError) {
    let start = Self.hasByteOrderMark(bytes) ? 3 : 0
    var scanner = JSONScanner(bytes, from: start)
    root = try scanner.scanDocument()
    try JSONText.checkSyntax(bytes, from: start)
    self.bytes = bytes
    value = try Self.value(of: root, in: bytes)
    style = JSONStyle(of: bytes, root: root)
  }

  /// Reads and parses a file.
  ///
  /// Errors have its path.
  /// - Parameter limit: the most bytes it may have. A parsed text takes many times its size in
  ///   memory.
  public init(path: String, limit: Int = 8 << 20) throws {
    let contents = try FileSystem.contents(of: path, limit: limit)
    do { try self.init(parsing: contents) } catch { throw error.inFile(path) }
  }

  /// Whether a text begins with the byte-order mark of UTF-8.
  public static func hasByteOrderMark(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0xEF, 0xBB, 0xBF])
  }

  /// Whether the text begins with a byte-order mark.
  public var hasByteOrderMark: Bool { Self.hasByteOrderMark(bytes) }

  /// Sets the member at `path`, or appends it to its object if it is absent.
  ///
  /// A value that already means the same keeps its bytes.
  /// - Throws: `FormatError` if an object on the path is missing or is another kind of value.
  public mutating func set(_ path: [String], to newValue: JSONValue) throws(FormatError) {
    let (parent, member) = try locate(path)
    let depth = path.count
    guard let member else {
      return try splice(insertion(of: newValue, named: path[path.count - 1], into: parent, depth))
    }
    let old = try Self.value(of: member.value, in: bytes)
    if old.means(newValue) { return }
    try splice((member.value.range, style.encode(newValue, depth: depth)))
  }

  /// Removes the member at `path`, if it is there.
  /// - Throws: `FormatError` if an object on the path is missing or is another kind of value.
  public mutating func remove(_ path: [String]) throws(FormatError) {
    let (parent, member) = try locate(path)
    guard let member, case .object(let members) = parent.kind,
      let index = members.firstIndex(where: { $0.name == member.name })
    else { return }
    let end = member.value.range.upperBound
    let range: Range<Int> =
      if index > 0 {
        members[index - 1].value.range.upperBound..<end
      } else if members.count > 1 {
        member.start..<members[1].start
      } else {
        (parent.range.lowerBound + 1)..<(parent.range.upperBound - 1)
      }
    try splice((range, []))
  }

  // MARK: Finding

  private func locate(
    _ path: [String]
  ) throws(FormatError) -> (parent: JSONNode, member: JSONNode.Member?) {
    precondition(!path.isEmpty)
    var node = root
    for (index, name) in path.enumerated() {
      guard case .object(let members) = node.kind else {
        let place = path.prefix(index).joined(separator: ".")
        throw FormatError(
          .wrongType(expected: "an object", found: "another value"),
          at: node.range.lowerBound, .member(place))
      }
      let member = members.first { $0.name == name }
      if index == path.count - 1 { return (node, member) }
      guard let member else {
        throw FormatError(
          .invalidDescription("the member is missing"), at: node.range.lowerBound, .member(name))
      }
      node = member.value
    }
    return (node, nil)
  }

  private static func value(
    of node: JSONNode, in bytes: [UInt8]
  ) throws(FormatError) -> JSONValue {
    switch node.kind {
    case .string: return .string(try JSONText.decodeString(bytes, node.range))
    case .number: return .number(String(decoding: bytes[node.range], as: UTF8.self))
    case .word:
      return switch bytes[node.range.lowerBound] {
      case UInt8(ascii: "t"): .bool(true)
      case UInt8(ascii: "f"): .bool(false)
      default: .null
      }
    case .array(let elements):
      var values: [JSONValue] = []
      for element in elements { values.append(try value(of: element, in: bytes)) }
      return .array(values)
    case .object(let members):
      var values: [JSONMember] = []
      for member in members {
        values.append(JSONMember(member.name, try value(of: member.value, in: bytes)))
      }
      return .object(values)
    }
  }

  // MARK: Splicing

  private func insertion(
    of newValue: JSONValue, named name: String, into parent: JSONNode, _ depth: Int
  ) -> (Range<Int>, [UInt8]) {
    let text = style.encode(member: name, newValue, depth: depth)
    guard case .object(let members) = parent.kind, let last = members.last else {
      let inner = (parent.range.lowerBound + 1)..<(parent.range.upperBound - 1)
      return (inner, style.lineBreak(depth) + text + style.lineBreak(depth - 1))
    }
    let place = last.value.range.upperBound
    return (place..<place, style.memberSeparator(depth) + text)
  }

  private mutating func splice(_ change: (range: Range<Int>, text: [UInt8])) throws(FormatError) {
    var edited = bytes
    edited.replaceSubrange(change.range, with: change.text)
    // Configs are small, and a fresh parse proves that the result is what it should be.
    var scanner = JSONScanner(edited, from: hasByteOrderMark ? 3 : 0)
    root = try scanner.scanDocument()
    bytes = edited
    value = try Self.value(of: root, in: edited)
  }
}
