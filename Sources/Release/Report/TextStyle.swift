/// What plain text may contain where it is shown: colours, and block characters.
package struct TextStyle: Sendable {
  /// ANSI's codes of foreground colours.
  package enum Colour: Int, Sendable { case red = 31, green = 32, yellow = 33, blue = 34 }

  package var hasColours: Bool
  package var hasBlocks: Bool

  package init(hasColours: Bool, hasBlocks: Bool) {
    self.hasColours = hasColours
    self.hasBlocks = hasBlocks
  }

  package func coloured(_ text: String, _ colour: Colour) -> String {
    hasColours ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// One character for a share from 0 to 1: all, most, some or none; a space for nil.
  package func cell(_ share: Double?) -> String {
    guard let share else { return " " }
    let shades = hasBlocks ? ["·", "░", "▓", "█"] : [".", "-", "+", "#"]
    let (shade, colour): (Int, Colour) =
      switch share {
      case 1...: (3, .green)
      case 0.5...: (2, .yellow)
      case let share where share > 0: (1, .yellow)
      default: (0, .red)
      }
    return coloured(shades[shade], colour)
  }

  /// A bar of at least one character.
  /// - Parameter share: the part of `width` characters that it covers, from 0 to 1.
  package func bar(_ share: Double, width: Int, _ colour: Colour = .blue) -> String {
    let count = max(1, min(width, Int((share * Double(width)).rounded())))
    return coloured(String(repeating: hasBlocks ? "█" : "#", count: count), colour)
  }
}
