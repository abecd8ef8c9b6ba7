/// The layout of a JSON text, for new members that match the others.
public struct JSONStyle: Equatable, Sendable {
  /// The line end if each member has its own line, or nil if everything is on one line.
  private var newline: [UInt8]?
  private var indent: [UInt8]
  private var comma: [UInt8]
  private var colon: [UInt8]

  /// Two spaces and a line feed, as transformers writes.
  public static let standard = JSONStyle(
    newline: [0x0A], indent: [0x20, 0x20], comma: Array(",".utf8), colon: Array(": ".utf8))

  /// Everything on one line, without spaces.
  public static let compact = JSONStyle(
    newline: nil, indent: [], comma: Array(",".utf8), colon: Array(":".utf8))

  private init(newline: [UInt8]?, indent: [UInt8], comma: [UInt8], colon: [UInt8]) {
    self.newline = newline
    self.indent = indent
    self.comma = comma
    self.colon = colon
  }

  /// Reads the layout off the first members of the outermost object.
  init(of bytes: [UInt8], root: JSONNode) {
    self = .standard
    guard case .object(let members) = root.kind, let first = members.first else { return }
    let lead = Array(bytes[(root.range.lowerBound + 1)..<first.start])
    if let lineFeed = lead.lastIndex(of: 0x0A) {
      newline = lineFeed > 0 && lead[lineFeed - 1] == 0x0D ? [0x0D, 0x0A] : [0x0A]
      indent = Array(lead[(lineFeed + 1)...])
    } else {
      newline = nil
      indent = []
    }
    let afterName = bytes[first.start..<first.value.range.lowerBound]
    colon = afterName.last == 0x20 ? Array(": ".utf8) : Array(":".utf8)
    if newline == nil, members.count > 1 {
      let between = bytes[first.value.range.upperBound..<members[1].start]
      comma = between.last == 0x20 ? Array(", ".utf8) : Array(",".utf8)
    }
  }

  func lineBreak(_ depth: Int) -> [UInt8] {
    guard let newline else { return [] }
    return newline + Array(repeatElement(indent, count: depth).joined())
  }

  func memberSeparator(_ depth: Int) -> [UInt8] { comma + lineBreak(depth) }

  func encode(member name: String, _ value: JSONValue, depth: Int) -> [UInt8] {
    Self.quoted(name) + colon + encode(value, depth: depth)
  }

  /// The text of a value that is `depth` levels deep.
  public func encode(_ value: JSONValue, depth: Int = 0) -> [UInt8] {
    switch value {
    case .null: Array("null".utf8)
    case .bool(let flag): Array((flag ? "true" : "false").utf8)
    case .number(let text): Array(text.utf8)
    case .string(let text): Self.quoted(text)
    case .array(let elements):
      enclose("[", "]", elements.map { encode($0, depth: depth + 1) }, depth)
    case .object(let members):
      enclose("{", "}", members.map { encode(member: $0.name, $0.value, depth: depth + 1) }, depth)
    }
  }

  private func enclose(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ items: [[UInt8]], _ depth: Int
  ) -> [UInt8] {
    guard !items.isEmpty else { return [UInt8(ascii: open), UInt8(ascii: close)] }
    let body = items.joined(separator: memberSeparator(depth + 1))
    return [UInt8(ascii: open)] + lineBreak(depth + 1) + Array(body) + lineBreak(depth)
      + [UInt8(ascii: close)]
  }

  /// A JSON string in quotes.
  ///
  /// Only quotes, backslashes and control characters are escaped.
  private static func quoted(_ text: String) -> [UInt8] {
    var result: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): result += Array("\\\"".utf8)
      case UInt8(ascii: "\\"): result += Array("\\\\".utf8)
      case 0x0A: result += Array("\\n".utf8)
      case 0x0D: result += Array("\\r".utf8)
      case 0x09: result += Array("\\t".utf8)
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        result += Array("\\u00\(byte < 16 ? "0" : "")\(digits)".utf8)
      default: result.append(byte)
      }
    }
    return result + [UInt8(ascii: "\"")]
  }
}
