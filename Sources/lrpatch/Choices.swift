import ArgumentParser
import Formats
import Verify

/// One of the values of an enumeration, by its name.
func choice<Value: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Value {
  guard let value = Value(rawValue: text) ?? Value(rawValue: text.lowercased()) else {
    throw unknown(text, Value.allCases.map(\.rawValue))
  }
  return value
}

/// The values of an option that may be repeated and takes several values separated by commas.
func listed(_ values: [String]) -> [String] {
  values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
}

/// The files of such an option.
///
/// A comma that is part of a file's name separates nothing.
func listedFiles(_ paths: [String]) -> [String] {
  paths.flatMap { FileSystem.exists($0) ? [$0] : listed([$0]) }
}

/// The error for a name that an option does not take, with the nearest name that it takes.
/// - Parameters:
///   - option: the option, if the parser does not name it.
///   - names: what it takes.
func unknown(_ text: String, of option: String? = nil, _ names: [String]) -> ValidationError {
  let place = option.map { "\($0): " } ?? ""
  return ValidationError("\(place)unknown value '\(text)'; \(expectation(of: text, names))")
}

/// What was meant by a name, and what is expected.
///
/// The names of a long list are left out if one of them is near.
func expectation(of text: String, _ names: [String]) -> String {
  let expected = "expected \(names.alternatives)"
  guard let meant = meant(by: text, names) else { return expected }
  return names.count > 16 ? "did you mean '\(meant)'?" : "did you mean '\(meant)'? \(expected)"
}

/// The name that was probably meant.
private func meant(by text: String, _ names: [String]) -> String? {
  if let other = otherNames[text.lowercased()], names.contains(other) { return other }
  return names.nearest(to: text)
}

/// Names that other tools have for values that options take here.
private let otherNames: [String: String] = [
  "transformers": "hf", "transformers5": "hf", "huggingface": "hf", "transformers4": "hf4",
  "mlx-lm": "mlx", "mlx_lm": "mlx", "llama-cpp": "llama.cpp", "llama_cpp": "llama.cpp",
  "gguf": "llama.cpp", "ik": "ik_llama.cpp", "ik-llama.cpp": "ik_llama.cpp",
  "mistralrs": "mistral.rs", "onnx": "ort-genai", "onnxruntime-genai": "ort-genai",
  "ort": "ort-genai", "exllama": "exllamav3", "exl3": "exllamav3", "ct2": "ctranslate2",
  "ppl": "perplexity", "needle": "niah", "needles": "niah",
  "fp32": "f32", "float32": "f32", "fp16": "f16", "float16": "f16", "half": "f16",
  "bfloat16": "bf16", "q8": "q8_0", "q8_k": "q8_0", "q4": "q4_k", "q4_k_m": "q4_k",
  "q4_k_s": "q4_k", "q5": "q5_k", "q5_k_m": "q5_k", "q5_k_s": "q5_k", "q6": "q6_k",
  "longrope1": "longrope", "cmaes": "cma-es", "linear": "pi", "ntk-aware": "ntk",
]

/// A gate of the command line.
/// - Throws: `ValidationError` with what is wrong and what was meant.
func gate(_ text: String) throws -> Gate {
  do {
    return try Gate(text)
  } catch {
    let metric = String(text.prefix { !"@<>=".contains($0) })
    guard meant(by: metric, Metric.names) != nil, !Metric.names.contains(metric) else {
      throw ValidationError(error.message)
    }
    throw ValidationError(
      "'\(text)': unknown metric '\(metric)'; \(expectation(of: metric, Metric.names))")
  }
}

/// A share of the command line: `0.9` or `90%`.
struct Share: ExpressibleByArgument {
  let value: Double

  init?(argument: String) {
    let isPercentage = argument.hasSuffix("%")
    guard let number = Double(isPercentage ? String(argument.dropLast()) : argument) else {
      return nil
    }
    let share = isPercentage ? number / 100 : number
    guard (0...1).contains(share) else { return nil }
    value = share
  }
}

/// The help of --require.
let requireHelp = ArgumentHelp(
  """
  A gate in quotes, such as 'passkey>=95%' or 'perplexity@1k@vllm<=40'; may be repeated or separated by commas. \
  Default: \(TaskGrid.Task.defaultGates.joined(separator: ", ")), of what is measured.
  """,
  valueName: "gate")

extension LRPatch {
  /// Checks that the arguments begin with a command.
  /// - Returns: the command, or the group of commands as far as it is named.
  /// - Throws: `UnknownName` with the command that was probably meant.
  static func requireCommand(_ arguments: [String]) throws -> any ParsableCommand.Type {
    var type: any ParsableCommand.Type = self
    for argument in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
      let commands = type.configuration.subcommands
      guard !commands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return type }
      let names = commands.compactMap { $0.configuration.commandName }
      guard let index = names.firstIndex(of: argument) else {
        let group = type == self ? "" : "\(type.configuration.commandName ?? "") "
        throw UnknownName(
          command: type,
          message: "unknown command '\(group)\(argument)'; \(expectation(of: argument, names))")
      }
      type = commands[index]
    }
    return type
  }

  /// Reads the arguments.
  ///
  /// The parser complains of what is missing before it looks for options that it does not know, although
  /// a wrong name is why the right one is missing.
  static func parse(
    _ arguments: [String], of command: any ParsableCommand.Type
  ) throws -> any ParsableCommand {
    do { return try parseAsRoot(arguments) } catch {
      let isOfNames = ["Missing expected argument", "Unknown option"].contains {
        message(for: error).hasPrefix($0)
      }
      guard isOfNames else { throw error }
      let names = try optionNames(of: command) + ["--help", "--version"]
      let given = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
      guard
        let unknown = given.map({ String($0.prefix { $0 != "=" }) }).first(where: {
          !names.contains($0)
        })
      else { throw error }
      let meant = names.nearest(to: unknown).map { "; did you mean '\($0)'?" } ?? ""
      throw UnknownName(command: command, message: "unknown option '\(unknown)'\(meant)")
    }
  }

  /// The long options of a command, as the parser describes them.
  private static func optionNames(of type: any ParsableCommand.Type) throws -> [String] {
    let description = try JSONDocument(parsing: Array(type._dumpHelp().utf8)).value
    let names = description["command"]?["arguments"]?.elements?.flatMap {
      $0["names"]?.elements ?? []
    }
    return (names ?? []).filter { $0["kind"]?.text == "long" }.compactMap {
      $0["name"]?.text.map { "--\($0)" }
    }
  }
}

extension LRPatch {
  /// Refuses paths in which the shell has left a tilde, which would be taken for the name of a
  /// folder.
  /// - Throws: `ValidationError` that says what to type.
  static func refuseTildes(_ arguments: [String]) throws {
    for argument in arguments.dropFirst() {
      let value = argument.hasPrefix("--") ? argument.drop { $0 != "=" }.dropFirst() : argument[...]
      guard value == "~" || value.hasPrefix("~/") else { continue }
      throw UnknownName(
        command: self,
        message:
          "'\(value)': a shell replaces '~' only outside quotes; write \"$HOME\(value.dropFirst())\", or './\(value)' for a folder of that name"
      )
    }
  }
}

/// A word in the place of a command, or an option that a command does not have.
struct UnknownName: Error {
  /// The command whose subcommand or option was expected.
  var command: any ParsableCommand.Type
  var message: String
}

/// The help of an option that takes one of several values, with its default.
func choiceHelp<Value: CaseIterable & RawRepresentable<String>>(
  _ text: String, _ type: Value.Type, default value: Value? = nil
) -> ArgumentHelp {
  let ending = value.map { " (default: \($0.rawValue))" } ?? ""
  return ArgumentHelp(stringLiteral: "\(text): \(Value.alternatives).\(ending)")
}

/// What a shell offers for such an option.
func choices<Value: CaseIterable & RawRepresentable<String>>(
  _ type: Value.Type
) -> CompletionKind {
  .list(Value.allCases.map(\.rawValue))
}

/// Examples at the end of a help text, each with what it is for.
func examples(_ all: (purpose: String, command: String)...) -> String {
  "\n\n" + text(of: all)
}

/// Examples as a whole help text.
func onlyExamples(_ all: (purpose: String, command: String)...) -> String { text(of: all) }

private func text(of examples: [(purpose: String, command: String)]) -> String {
  let lines = examples.map { "  # \($0.purpose)\n  lrpatch \($0.command)" }
  return "Examples:\n\n" + lines.joined(separator: "\n\n")
}
