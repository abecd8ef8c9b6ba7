import ArgumentParser
import Formats
import Models
import Verify

/// What ended the program: its message and its exit code.
struct Failure {
  let message: String
  let exitCode: ExitCode

  private init(_ message: String, _ exitCode: ExitCode) {
    self.message = message
    self.exitCode = exitCode
  }

  /// - Parameter command: the command that ran; the whole program while arguments were read.
  init(_ error: any Error, of command: any ParsableCommand.Type) {
    switch error {
    case is FormatError: self.init(Self.text(error), .invalid)
    case let error as ModelError:
      self.init(Self.text(error), error.kind == .unsafe ? .unsafe : .invalid)
    case is FileError: self.init(Self.text(error), .inputOutput)
    case is Interrupted: self.init("", .interrupted)
    case let error as CheckFailed: self.init(error.message.visible, .checkFailed)
    case let error as OptionError: self.init(Self.usage(error.message, command), .usage)
    case let error as ValidationError where command != LRPatch.self:
      self.init(Self.usage(error.message, command), .usage)
    default:
      let isSuccess = LRPatch.exitCode(for: error) == .success
      self.init(LRPatch.fullMessage(for: error), isSuccess ? .success : .usage)
    }
  }

  private static func text(_ error: any Error) -> String { "error: \("\(error)".visible)" }

  private static func usage(_ message: String, _ command: any ParsableCommand.Type) -> String {
    let name = name(command, in: LRPatch.self) ?? "lrpatch"
    return "Error: \(message)\n  See '\(name) --help' for more information."
  }

  /// The full name of a command, such as `lrpatch factors make`.
  private static func name(
    _ command: any ParsableCommand.Type, in parent: any ParsableCommand.Type
  ) -> String? {
    let own = parent.configuration.commandName ?? ""
    if command == parent { return own }
    let below = parent.configuration.subcommands.lazy.compactMap { name(command, in: $0) }.first
    return below.map { "\(own) \($0)" }
  }

  /// Help and versions go to stdout, everything else to stderr.
  func report() {
    guard !message.isEmpty else { return }
    if exitCode == .success { Output.result(message) } else { Output.note(message) }
  }
}

/// A check that the user asked for has failed.
///
/// The result itself is already printed.
struct CheckFailed: Error {
  var message = ""
}

/// A signal ended the command, which has reported it and printed what it has.
struct Interrupted: Error {}
