import ArgumentParser
import Formats
import Glibc
import Models
import Patch
import Verify

/// What ended the program: its message and its exit code.
struct Failure {
  /// The message without a label; empty if everything has been said.
  let message: String
  let exitCode: ExitCode
  /// The file, folder or option that the error is about, if it is known.
  private var subject: String?
  /// What follows the message in the terminal.
  private var advice = ""
  /// Whether the message follows `error:`.
  private var isLabelled = true

  private init(_ message: String, _ exitCode: ExitCode, about subject: String? = nil) {
    self.message = message
    self.exitCode = exitCode
    self.subject = subject.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// - Parameter command: the command that ran; the whole program while arguments were read.
  init(_ error: any Error, of command: any ParsableCommand.Type) {
    switch error {
    case let error as FormatError: self.init("\(error)".visible, .invalid, about: error.file)
    case let error as ModelError:
      self.init(
        "\(error)".visible, error.kind == .unsafe ? .unsafe : .invalid, about: error.subject)
    case let error as FileError:
      self.init("\(error)".visible, .inputOutput, about: error.path)
      if error.code == ENOENT { advice = Self.advice(missing: error.path) }
    case let error as ReportedError:
      self.init("", Failure(error.error, of: command).exitCode)
    case is Interrupted: self.init("", .interrupted)
    case let error as CheckFailed:
      self.init(error.message.visible, .checkFailed)
      isLabelled = false
    case let error as OptionError: self.init(usage: error.message, of: command)
    case let error as UnknownName: self.init(usage: error.message, of: error.command)
    case let error as ValidationError where command != LRPatch.self:
      self.init(usage: error.message, of: command)
    default: self.init(parsing: error)
    }
  }

  private init(usage message: String, of command: any ParsableCommand.Type) {
    self.init(message.visible, .usage)
    let name = Self.name(command, in: LRPatch.self) ?? "lrpatch"
    advice = "  See '\(name) --help' for more information."
  }

  /// An error of the parser, or a request for help or the version.
  private init(parsing error: any Error) {
    let text = LRPatch.fullMessage(for: error).wrappingUsage(columns: Output.helpColumns)
    guard LRPatch.exitCode(for: error) != .success else {
      self.init(text, .success)
      isLabelled = false
      return
    }
    // The first line is the message; help and usage of the command follow.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let label = "Error: "
    let first = String(lines.first ?? "")
    let message = first.hasPrefix(label) ? String(first.dropFirst(label.count)) : first
    self.init(Self.ownWords(message).visible, .usage)
    advice = lines.dropFirst().joined(separator: "\n")
  }

  /// A message of the parser as this program's own messages are worded.
  private static func ownWords(_ message: String) -> String {
    let pattern = /The value '(?<value>.*)' is invalid for '(?<name>[^']*)'(: (?<reason>.*))?/
    guard let match = message.wholeMatch(of: pattern) else {
      return message.prefix(1).lowercased() + message.dropFirst()
    }
    let name = match.name.split(separator: " ").first ?? ""
    let kind = String(match.name.split(separator: "<").last?.dropLast() ?? "")
    let expected = expected[kind].map { "; expected \($0)" } ?? ""
    return
      "\(name): \(match.reason.map(String.init) ?? "unknown value '\(match.value)'\(expected)")"
  }

  /// What options take, by the names of their values.
  private static let expected = [
    "tokens": "a number of tokens, such as 4096, 4k or 128k", "size": "a size, such as 500M or 2G",
    "time": "a time, such as 90s, 30m or 2h", "count": "a whole number from 1 on, such as 500",
    "part": "a part, such as 1/2", "threads": "a whole number", "seed": "a whole number",
    "chunk": "a number of tokens, such as 2048 or 2k, or none",
    "share": "a share, such as 0.9 or 90%", "depths": "a whole number", "samples": "a whole number",
    "documents": "a whole number",
  ]

  /// What may have been meant by a path at which there is nothing.
  private static func advice(missing path: String) -> String {
    let folder = FileSystem.folder(of: path)
    let names = (try? FileSystem.names(in: folder)) ?? []
    guard let near = names.nearest(to: FileSystem.name(of: path)) else { return "" }
    return "  Did you mean '\(FileSystem.path(near, in: folder).sanitized)'?"
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
  ///
  /// With `--json`, stdout gets a document too, unless the command has printed its own.
  func report() {
    if exitCode == .success { return Output.result(message) }
    if CommandLine.arguments.contains("--json"), !Output.hasJSON { Output.json(document) }
    note()
  }

  /// Writes the message and the advice to stderr.
  func note() {
    guard !message.isEmpty else { return }
    let text = isLabelled ? "error: \(message)" : message
    Output.note(advice.isEmpty ? text : "\(text)\n\(advice)")
  }

  /// The document of specs/error.schema.json.
  var document: JSONValue {
    .object([
      "schema": DocumentSchema.error.json, "version": .string(lrpatchVersion),
      "code": .number(Int(exitCode.rawValue)), "kind": .string(exitCode.summary),
      "message": .string(message.isEmpty ? exitCode.summary : message),
      "subject": subject.map { .string($0) } ?? .null,
    ])
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
