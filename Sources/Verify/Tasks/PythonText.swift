/// Texts as Python's `str` methods change them, for prompts that other programs make in Python.
extension Unicode.Scalar {
  /// Python's `isspace`, which is also `\s` in its expressions.
  var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }

  /// `\w` in Python's expressions.
  var isPythonWordCharacter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber:
      true
    default: self == "_"
    }
  }
}

extension Unicode.Scalar {
  /// Python's `isprintable`: `repr` escapes other characters.
  var isPythonPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: self == " "
    default: true
    }
  }
}

extension String {
  /// `strip()`.
  var strippedAsInPython: String {
    let tail = unicodeScalars.drop(while: \.isPythonSpace)
    guard let last = tail.lastIndex(where: { !$0.isPythonSpace }) else { return "" }
    return String(tail[...last])
  }

  /// The white space that `rstrip()` removes, and the text before it.
  var endAsInPython: (text: String, space: String) {
    guard let last = unicodeScalars.lastIndex(where: { !$0.isPythonSpace }) else {
      return ("", self)
    }
    let next = unicodeScalars.index(after: last)
    return (String(unicodeScalars[..<next]), String(unicodeScalars[next...]))
  }

  /// `capitalize()`, without its rule for a sigma at the end of a word.
  var capitalizedAsInPython: String {
    guard let first = unicodeScalars.first else { return "" }
    return unicodeScalars.dropFirst().reduce(into: first.properties.titlecaseMapping) {
      $0 += $1.properties.lowercaseMapping
    }
  }

  /// `replace(old, new)`, which compares scalars and not characters.
  func replacingScalars(_ old: String, with new: String) -> String {
    let replaced = Array(unicodeScalars).replacing(
      Array(old.unicodeScalars), with: Array(new.unicodeScalars))
    return String(String.UnicodeScalarView(replaced))
  }
}
