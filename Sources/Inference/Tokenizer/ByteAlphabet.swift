/// GPT-2's byte alphabet, which writes every byte as one printable character.
///
/// Printable bytes stand for themselves, the others become U+0100, U+0101 and so on.
enum ByteAlphabet {
  private static let characters: [[UInt8]] = scalars.map { Array(String($0).utf8) }

  private static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).compactMap { byte in
      let isPrintable =
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
      if isPrintable { return Unicode.Scalar(UInt32(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next)
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  /// The characters for some bytes, encoded as UTF-8.
  static func text(of bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(2 * bytes.count)
    for byte in bytes { result += characters[Int(byte)] }
    return result
  }

  /// The bytes for a text, or the text itself if it contains a character outside the alphabet.
  static func bytes(of text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      guard let byte = bytes[scalar] else { return text }
      result.append(byte)
    }
    return result
  }
}
