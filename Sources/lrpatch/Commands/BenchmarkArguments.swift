import ArgumentParser
import Formats
import Verify

/// The files and examples of benchmarks on the command line: `mmlu=test.jsonl`, or `test.jsonl` if
/// there is only one benchmark.
struct BenchmarkArguments {
  /// The sources by the names of their benchmarks.
  private(set) var sources: [String: BenchmarkSource] = [:]

  /// - Throws: `ValidationError` for a value without its benchmark, a second one, or a number that is
  ///   none.
  init(_ data: [String], shots: [String], examples: [String], _ tasks: [TaskGrid.Task]) throws {
    let names = tasks.filter(\.needsFile).map(\.name)
    for (name, path) in try Self.values(data, of: "--data", names) {
      sources[name] = BenchmarkSource(data: path)
    }
    for (name, path) in try Self.values(examples, of: "--few-shot-data", names) {
      try requireData(name, "--few-shot-data")
      sources[name]?.examples = path
    }
    for (name, text) in try Self.values(shots, of: "--few-shot", names) {
      try requireData(name, "--few-shot")
      guard let count = Int(text) else {
        throw ValidationError(
          "--few-shot: '\(text)' is not a number of examples; expected \(name)=5 or 5")
      }
      sources[name]?.shots = count
    }
  }

  private func requireData(_ name: String, _ option: String) throws {
    guard sources[name] == nil else { return }
    throw ValidationError("\(option) is about \(name), whose questions need --data \(name)=FILE")
  }

  /// The values of an option by the names of their benchmarks.
  private static func values(
    _ texts: [String], of option: String, _ names: [String]
  ) throws -> [(name: String, value: String)] {
    var seen: Set<String> = []
    return try texts.map { text in
      let (name, value) = try named(text, of: option, names)
      guard seen.insert(name).inserted else {
        throw ValidationError("\(option) is given twice for \(name)")
      }
      return (name, value)
    }
  }

  /// One value, `NAME=VALUE`, or only the value if one task needs a file.
  private static func named(
    _ text: String, of option: String, _ names: [String]
  ) throws -> (name: String, value: String) {
    let all = TaskGrid.Task.all.filter(\.needsFile).map(\.name)
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      .map(String.init)
    guard let value = parts.last, !value.isEmpty else {
      throw ValidationError("\(option): '\(text)' lacks its value; expected TASK=VALUE")
    }
    if parts.count == 2, all.contains(parts[0]) { return (parts[0], value) }
    if parts.count == 2, let group = TaskGrid.Task.named(parts[0]), group.count > 1 {
      let each = group.map { "\(option) \($0.name)=..." }
      throw ValidationError(
        "\(option): \(parts[0]) is several tasks: \(each.joined(separator: " "))")
    }
    if parts.count == 2, all.nearest(to: parts[0]) != nil, !FileSystem.exists(text) {
      throw unknown(parts[0], of: option, all)
    }
    guard names.count == 1 else {
      throw ValidationError(
        "\(option): '\(text)' does not say of which benchmark; expected TASK=\(text), TASK being \(all.alternatives)"
      )
    }
    return (names[0], text)
  }
}
