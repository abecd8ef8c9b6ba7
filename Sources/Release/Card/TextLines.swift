/// A text as its lines, each with its own line end, so that whatever is not edited stays as it is.
struct TextLines {
  var lines: [String]
  /// The line end of the first line.
  let newline: String

  /// No lines yet, with the line ends of another text.
  init(emptyWithEndsOf other: TextLines) {
    lines = []
    newline = other.newline
  }

  init(_ text: String) {
    let bytes = Array(text.utf8)
    lines = []
    var start = 0
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      lines.append(String(decoding: bytes[start...index], as: UTF8.self))
      start = index + 1
    }
    if start < bytes.count { lines.append(String(decoding: bytes[start...], as: UTF8.self)) }
    newline = lines.first?.utf8.suffix(2).elementsEqual([0x0D, 0x0A]) == true ? "\r\n" : "\n"
  }

  var text: String { lines.joined() }

  /// The line without its end.
  func line(_ index: Int) -> String {
    var scalars = lines[index].unicodeScalars[...]
    if scalars.last == "\n" {
      scalars = scalars.dropLast()
      if scalars.last == "\r" { scalars = scalars.dropLast() }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// The line without its end and the blanks before it.
  func content(_ index: Int) -> String {
    var scalars = lines[index].unicodeScalars[...]
    while let last = scalars.last, ["\n", "\r", " ", "\t"].contains(last) {
      scalars = scalars.dropLast()
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// New lines with this text's line ends.
  func ended(_ lines: [String]) -> [String] { lines.map { $0 + newline } }
}
