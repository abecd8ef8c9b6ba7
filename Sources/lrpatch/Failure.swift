import ArgumentParser
import Formats
import Patch
import Verify

/// What ended the program: its message and its exit code.
struct Failure {
  /// The exit codes of specs/cli.md.
  enum Code {
    static let checkFailed: Int32 = 1
    static let usage: Int32 = 2
    static let invalid: Int32 = 3
    static let unsafe: Int32 = 4
    static let inputOutput: Int32 = 5
    static let interrupted: Int32 = 130
  }

  let message: String
  let exitCode: Int32

  /// - Parameter command: the one that ran; that of the whole program while arguments were read.
  init(_ error: any Error, of command: any ParsableCommand.Type) {
    switch error {
    case let error as FormatError:
      message = "error: \("\(error)".visible)"
      exitCode = Code.invalid
    case let error as PatchError:
      message = "error: \("\(error)".visible)"
      exitCode = error.kind == .unsafe ? Code.unsafe : Code.invalid
    case let error as VerifyError:
      message = "error: \("\(error)".visible)"
      exitCode = Code.invalid
    case let error as FileError:
      message = "error: \("\(error)".visible)"
      exitCode = Code.inputOutput
    case is Interrupted:
      message = ""
      exitCode = Code.interrupted
    case let error as CheckFailed:
      message = error.message.visible
      exitCode = Code.checkFailed
    case let error as ValidationError where command != LRPatch.self:
      message =
        "Error: \(error.message)\n  See '\(Self.name(command, in: LRPatch.self) ?? "lrpatch") --help' for more information."
      exitCode = Code.usage
    default:
      message = LRPatch.fullMessage(for: error)
      let code = LRPatch.exitCode(for: error)
      exitCode = code == .success ? 0 : Code.usage
    }
  }

  /// `lrpatch factors make`
  private static func name(_ command: any ParsableCommand.Type, in parent: any ParsableCommand.Type) -> String? {
    let own = parent.configuration.commandName ?? ""
    if command == parent { return own }
    return parent.configuration.subcommands.lazy.compactMap { name(command, in: $0) }.first.map { "\(own) \($0)" }
  }

  /// Help and versions go to stdout, everything else to stderr.
  func report() {
    guard !message.isEmpty else { return }
    if exitCode == 0 { Output.result(message) } else { Output.note(message) }
  }
}

/// A check that the user asked for has failed; the result itself is already printed.
struct CheckFailed: Error {
  var message = ""
}

/// A signal ended the command, which has said so and printed what it has.
struct Interrupted: Error {}
