/// A position in a text, counted in UTF-8 bytes and in UTF-16 code units.
///
/// It only moves forward.
struct UnitCursor {
  private let text: [UInt8]
  private(set) var byte = 0
  private(set) var unit = 0

  init(_ text: [UInt8]) { self.text = text }

  mutating func advance(toByte target: Int) {
    while byte < target, byte < text.count { step() }
  }

  mutating func advance(toUnit target: Int) {
    while unit < target, byte < text.count { step() }
  }

  private mutating func step() {
    let count = UTF8Lead.count(text[byte])
    byte += count
    unit += count == 4 ? 2 : 1
  }
}
