import Formats
import Models
internal import Yams

/// Where in the text the members and items are.
extension CardMetadata {
  /// The outermost mapping; empty without YAML.
  func root() throws(ModelError) -> Node.Mapping {
    let node: Node?
    do { node = try Yams.compose(yaml: text.text) } catch {
      let reason = "\(error)".split(separator: "\n").first.map { String($0).sanitized } ?? ""
      throw .unsupported(subject, "its YAML cannot be read: \(reason)")
    }
    guard let node, node.null == nil else { return [:] }
    guard let mapping = node.mapping, character(at: mapping.mark) != "{" else {
      throw unusual("the YAML is not a block mapping")
    }
    return mapping
  }

  /// The character where a node begins.
  func character(at mark: Mark?) -> Unicode.Scalar? {
    guard let mark, text.lines.indices.contains(mark.line - 1) else { return nil }
    return text.lines[mark.line - 1].unicodeScalars.dropFirst(mark.column - 1).first
  }

  func isBlock(_ list: Node.Sequence) -> Bool { character(at: list.mark) == "-" }

  func unusual(_ what: String) -> ModelError {
    .unsupported(subject, "\(what); write it in block style, or edit it by hand")
  }

  /// Replaces a member of the outermost mapping, or appends it.
  mutating func replace(_ key: String, by lines: [String]) throws(ModelError) {
    if try root()[Node(key)] == nil {
      text.lines += text.ended(lines)
    } else {
      text.lines.replaceSubrange(try range(of: key), with: text.ended(lines))
    }
  }

  /// The lines of a member of the outermost mapping, without the blank lines and comments after it.
  func range(of key: String) throws(ModelError) -> Range<Int> {
    let lines = try root().compactMap { pair in
      pair.key.mark.map { (key: pair.key.string, line: $0.line - 1) }
    }
    guard let start = lines.first(where: { $0.key == key })?.line else {
      throw unusual("'\(key)' cannot be found")
    }
    let next = lines.map(\.line).filter { $0 > start }.min() ?? text.lines.count
    return trimmed(start..<next)
  }

  /// The lines without the blank lines and comments at their end.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound + 1 {
      let content = text.content(end - 1).drop { $0 == " " }
      guard content.isEmpty || content.hasPrefix("#") else { break }
      end -= 1
    }
    return range.lowerBound..<end
  }

  /// The lines of an item of a block list, from its dash on.
  func itemRange(
    _ item: Int, of list: Node.Sequence, until end: Int
  ) throws(ModelError) -> Range<Int> {
    func start(_ item: Int) throws(ModelError) -> Int {
      guard let line = list[item].mark?.line, text.lines.indices.contains(line - 1),
        text.lines[line - 1].drop(while: { $0 == " " }).hasPrefix("-")
      else { throw unusual("an item of a list does not begin on the line of its dash") }
      return line - 1
    }
    return trimmed(try start(item)..<(item + 1 < list.count ? try start(item + 1) : end))
  }

  static func indent(_ line: String) -> String { String(line.prefix { $0 == " " }) }
}
