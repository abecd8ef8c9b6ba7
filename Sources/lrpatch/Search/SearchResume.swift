import ArgumentParser
import Formats
import Foundation
import Patch
import Search

/// Settings that are given beside --resume, which goes on with those of its checkpoint.
struct SearchResume {
  let saved: Checkpoint

  /// Options, and the settings that they make.
  private static let options: [(name: String, paths: [String])] = [
    ("--algorithm", ["settings.algorithm"]), ("--as-released", ["settings.algorithm"]), ("--seed", ["settings.seed"]),
    ("--fitness", ["fitness.documents", "fitness.needles"]), ("--documents", ["fitness.documents"]),
    ("--needles", ["fitness.needles"]), ("--text", ["texts"]), ("--part", ["fitness.part", "fitness.parts"]),
    ("--method", ["fitness.method"]), ("--stride", ["fitness.stride"]),
    ("--needle-prompt", ["fitness.needlePrompt"]), ("--needles-at-start", ["fitness.needlesAtStart"]),
    ("--needle-weight", ["fitness.needleWeight"]), ("--original-length", ["originalWindow"]),
    ("--critical-dimension", ["settings.criticalPair", "space.settings.criticalPair"]), ("--maximum", ["space.upper"]),
    ("--start-tokens", ["space.startTokens"]), ("--mscale", ["mscale", "space.mscale"]),
    ("--search-mscale", ["space.searchesMscale"]), ("--search-pair-mscales", ["space.searchesPairMscales"]),
    ("--onto", ["onto"]), ("--initial", ["settings.initial"]),
    ("--population", ["settings.evolution.population"]), ("--parents", ["settings.evolution.parents"]),
    ("--mutants", ["settings.evolution.mutants"]), ("--crossovers", ["settings.evolution.crossovers"]),
    ("--iterations", ["settings.evolution.iterations"]), ("--probability", ["settings.evolution.probability"]),
    ("--generation-size", ["settings.generationSize"]), ("--no-race", ["settings.race.isOn"]),
    ("--race-alpha", ["settings.race.alpha"]), ("--race-audit", ["settings.race.audit"]),
    ("--precision", ["precision"]),
  ]

  /// Options that are given and say something else than what was saved; a default that is given counts.
  /// - Parameters:
  ///   - arguments: of the command line.
  ///   - given: what the options would begin a new search with.
  ///   - plain: the same without options; nil where no search begins so.
  func conflicts(_ arguments: [String], given: Checkpoint, plain: Checkpoint?) throws -> [String] {
    let (given, saved) = (try Self.members(given), try Self.members(self.saved))
    let plain = try plain.map(Self.members) ?? given
    let differing = Set(given.keys.filter { given[$0] != saved[$0] })
    let named =
      Self.options.filter { option in
        arguments.contains { $0 == option.name || $0.hasPrefix(option.name + "=") }
          && !differing.isDisjoint(with: option.paths)
      }.map(\.name) + (arguments.contains("--readjust") && saved["onto"] == nil ? ["--readjust"] : [])
    let known = Set(Self.options.flatMap(\.paths))
    let others = differing.subtracting(known).filter { given[$0] != plain[$0] && !$0.hasPrefix("space.settings.") }
    return named + (named.isEmpty ? others.sorted() : [])
  }

  /// Every member under its path, without what only a run makes.
  private static func members(_ checkpoint: Checkpoint) throws -> [String: JSONValue] {
    var checkpoint = checkpoint
    checkpoint.state = nil
    checkpoint.unitsSHA256 = ""
    for index in checkpoint.texts.indices { checkpoint.texts[index].sha256 = "" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let value = try JSONDocument(parsing: Array(try encoder.encode(checkpoint))).value
    var found: [String: JSONValue] = [:]
    func add(_ value: JSONValue, _ path: String) {
      guard let members = value.members else { return found[path] = value }
      for member in members { add(member.value, path.isEmpty ? member.name : "\(path).\(member.name)") }
    }
    add(value, "")
    return found
  }
}
