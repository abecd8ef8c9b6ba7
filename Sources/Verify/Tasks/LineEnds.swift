/// A remark about the line ends of a text.
package enum LineEnds {
  /// What to say about a text with CRLF line ends, or nil if it has none.
  package static func remark(_ bytes: some Collection<UInt8>, name: String) -> String? {
    var previous: UInt8 = 0
    for byte in bytes {
      if previous == 0x0D, byte == 0x0A {
        return
          "\(name): has CRLF line ends, which are tokens of their own and make perplexities higher than with LF"
      }
      previous = byte
    }
    return nil
  }
}
