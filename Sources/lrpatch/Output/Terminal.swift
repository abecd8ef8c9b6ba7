import Foundation
import Glibc

/// What standard output can show: colours where it is a terminal that has them, unless NO_COLOR, CLICOLOR_FORCE or TERM say
/// otherwise; block characters where the locale is UTF-8.
struct Terminal {
  enum Colour: Int { case red = 31, green = 32, yellow = 33, blue = 34 }

  var hasColours: Bool
  var hasBlocks: Bool

  static let output = Terminal(
    environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDOUT_FILENO) == 1)

  init(environment: [String: String], isTerminal: Bool) {
    func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
    if isSet("NO_COLOR") {
      hasColours = false
    } else if isSet("CLICOLOR_FORCE"), environment["CLICOLOR_FORCE"] != "0" {
      hasColours = true
    } else {
      hasColours = isTerminal && environment["TERM"] != "dumb" && environment["CLICOLOR"] != "0"
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    hasBlocks = locale.uppercased().replacing("-", with: "").contains("UTF8")
  }

  func coloured(_ text: String, _ colour: Colour) -> String {
    hasColours ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// One character for a share from 0 to 1: full, most, some, none.
  func cell(_ share: Double?) -> String {
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

  /// - Parameter share: of `width` characters.
  func bar(_ share: Double, width: Int, _ colour: Colour = .blue) -> String {
    let count = max(1, min(width, Int((share * Double(width)).rounded())))
    return coloured(String(repeating: hasBlocks ? "█" : "#", count: count), colour)
  }
}
