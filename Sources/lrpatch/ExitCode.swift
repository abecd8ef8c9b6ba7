/// How the program ends: its exit codes, which specs/cli.md explains.
enum ExitCode: Int32, CaseIterable {
  case success = 0
  case checkFailed = 1
  case usage = 2
  case invalid = 3
  case unsafe = 4
  case inputOutput = 5
  case interrupted = 130

  /// What the help says of it.
  var summary: String {
    switch self {
    case .success: "good"
    case .checkFailed: "the check failed"
    case .usage: "usage"
    case .invalid: "invalid or unsupported input"
    case .unsafe: "refused as unsafe"
    case .inputOutput: "input/output error"
    case .interrupted: "interrupted"
    }
  }

  /// All codes in a sentence of the help.
  static var list: String {
    allCases.map { "\($0.rawValue) \($0.summary)" }.joined(separator: "; ")
  }
}
