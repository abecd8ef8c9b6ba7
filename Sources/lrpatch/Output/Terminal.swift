import Foundation
import Glibc
import Release

extension TextStyle {
  /// What standard output can show.
  static let terminal = TextStyle(
    environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDOUT_FILENO) == 1)

  /// Colours on a terminal that has them, unless NO_COLOR, CLICOLOR_FORCE, CLICOLOR or TERM say
  /// otherwise; block characters if the locale is UTF-8.
  init(environment: [String: String], isTerminal: Bool) {
    self.init(
      hasColours: Self.hasColours(environment, isTerminal), hasBlocks: Self.hasBlocks(environment))
  }

  private static func hasColours(_ environment: [String: String], _ isTerminal: Bool) -> Bool {
    func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
    if isSet("NO_COLOR") { return false }
    if isSet("CLICOLOR_FORCE"), environment["CLICOLOR_FORCE"] != "0" { return true }
    return isTerminal && environment["TERM"] != "dumb" && environment["CLICOLOR"] != "0"
  }

  private static func hasBlocks(_ environment: [String: String]) -> Bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"]
    let locale = names.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    return locale.uppercased().replacing("-", with: "").contains("UTF8")
  }
}
