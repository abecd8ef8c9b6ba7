/// GPT-2's way of writing every byte as one printable character: those that are printable stand for themselves, the
/// others for U+0100 and on.
enum ByteAlphabet {
  private static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).compactMap { byte in
      let isPrintable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
      if isPrintable { return Unicode.Scalar(UInt32(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next)
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  static func text(of bytes: some Sequence<UInt8>) -> String {
    var result = String.UnicodeScalarView()
    for byte in bytes { result.append(characters[Int(byte)]) }
    return String(result)
  }

  /// Characters outside the alphabet, as special tokens have them, stand for their UTF-8.
  static func bytes(of text: String) -> [UInt8] {
    text.unicodeScalars.flatMap { bytes[$0].map { [$0] } ?? Array(String($0).utf8) }
  }
}
