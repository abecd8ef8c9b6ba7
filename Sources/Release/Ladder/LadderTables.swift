import Formats
import Verify

/// A ladder as tables: the same for a terminal, Markdown, HTML and CSV.
struct LadderTables {
  /// A rung under the name that it is shown by, with what was measured of it.
  struct Rung {
    var model: String
    var cache: String
    /// The bytes of the model's files; 0 if they are not known.
    var bytes: Int
    var places: [LadderPlace]

    /// The first length at which it fails; nil if it holds at all.
    var fails: LadderPlace? { places.first { !$0.failures.isEmpty } }
  }

  let document: LadderDocument
  let rungs: [Rung]
  /// The tasks that were asked, in their order.
  let tasks: [String]
  /// The lengths, in ascending order.
  let lengths: [Int]

  init(_ document: LadderDocument) {
    self.document = document
    let names = Self.names(document.planned.map(\.model).uniqued)
    rungs = document.rungs.map { rung in
      Rung(
        model: names[rung.model] ?? rung.model, cache: rung.rung.cacheName,
        bytes: rung.provenance.files.reduce(0) { $0 + $1.size }, places: document.places(of: rung))
    }
    tasks = rungs.flatMap(\.places).flatMap(\.scores).map(\.task).uniqued
    lengths = Set(rungs.flatMap(\.places).map(\.length)).sorted()
  }

  /// Models by the names of their files without `.gguf`, or by their paths if names are equal.
  private static func names(_ paths: [String]) -> [String: String] {
    let short = paths.map { path in
      let name = FileSystem.name(of: path)
      return name.hasSuffix(".gguf") ? String(name.dropLast(5)) : name
    }
    let isClear = Set(short).count == short.count
    return Dictionary(zip(paths, isClear ? short : paths)) { first, _ in first }
  }

  // MARK: Sentences

  /// What a rung must reach.
  var criterion: String {
    let gates = document.gates.map(\.text).joined(separator: " or ")
    let share = "\((document.keep * 100).sixDigits) %"
    let kept = ", or reaches less than \(share) of the first rung's passkeys or answers"
    return "A rung fails at a length where it misses \(gates)\(document.keep > 0 ? kept : "")."
      + (hidden.isEmpty
        ? "" : " The first rung itself scores 0 \(hidden): nothing can be lost there.")
  }

  /// Where the first rung answers nothing of a task, in words.
  private var hidden: String {
    tasks.compactMap { task in
      let places = (rungs.first?.places ?? []).filter { place in
        place.scores.contains { $0.task == task && $0.share == 0 }
      }.map { String($0.length) }
      return places.isEmpty ? nil : "in \(task) at \(places.joined(separator: ", "))"
    }.joined(separator: ", and ")
  }

  /// How many rungs hold, and the smallest of them.
  var headline: String {
    guard let longest = lengths.last else { return "No rung was measured." }
    let holding = rungs.filter { $0.fails == nil }
    let count = "\(holding.count) of \(rungs.count) rungs hold up to \(longest) tokens."
    let smallest = holding.filter { $0.bytes > 0 }.min { $0.bytes < $1.bytes }
    guard let smallest else { return count }
    // Of one file with several caches, the last one is the smallest.
    let last = holding.last { $0.model == smallest.model } ?? smallest
    return "\(count) The smallest model of them is \(last.model)."
  }

  var missing: String? {
    let missing = document.missing
    guard !missing.isEmpty else { return nil }
    let names = Self.names(document.planned.map(\.model).uniqued)
    let list = missing.map { "\(names[$0.model] ?? $0.model) with \($0.cacheName)" }
    return "INCOMPLETE: not measured: \(list.joined(separator: ", "))"
  }

  /// A length with a mark if it is beyond the original window, and another one if it is beyond the
  /// window of the first model.
  func marked(_ length: Int) -> String { document.rungs[0].marked(length) }

  /// What the marks mean.
  var marks: [String] { document.rungs.first?.lengthMarks ?? [] }

  // MARK: Rows

  /// The header of `rows`.
  var header: [String] {
    ["model", "cache", "length", "perplexity", "x the first", "divergence", "flips", "passkeys"]
      + tasks + ["verdict"]
  }

  /// One row for each rung and length.
  func rows(of rung: Rung) -> [[String]] {
    rung.places.map { place in
      [rung.model, rung.cache, marked(place.length)] + numbers(place) + [Self.verdict(place)]
    }
  }

  private func numbers(_ place: LadderPlace) -> [String] {
    let retention = place.retention
    return [
      retention.map { $0.perplexity.text(error: $0.errors?.perplexity) } ?? "-",
      retention.map { $0.ratio.text(error: $0.errors?.ratio) } ?? "-",
      retention.map { $0.divergence.text(error: $0.errors?.divergence) } ?? "-",
      retention.map { (1 - $0.agreement).percent(of: $0.tokens) } ?? "-",
      place.passkeys.map { "\($0.successes) of \($0.trials)" } ?? "-",
    ]
      + tasks.map { task in
        place.scores.first { $0.task == task }.map { ResultTables.percent($0.share) } ?? "-"
      }
  }

  static func verdict(_ place: LadderPlace) -> String {
    place.failures.isEmpty
      ? "holds"
      : "FAILED: \(place.failures.map(\.metric.rawValue).uniqued.joined(separator: ", "))"
  }

  // MARK: Where rungs fail

  /// The header of `failures`.
  static let failureHeader = ["model", "cache", "fails at", "because of"]

  /// One row for each rung.
  var failures: [[String]] {
    rungs.map { rung in
      guard let place = rung.fails else { return [rung.model, rung.cache, "-", ""] }
      let reasons = place.failures.map { failure in
        "\(failure.metric.rawValue) \(Self.shown(failure.value, failure.metric)), limit \(Self.limit(failure))"
      }
      return [rung.model, rung.cache, marked(place.length), reasons.joined(separator: "; ")]
    }
  }

  private static func limit(_ failure: LadderPlace.Failure) -> String {
    failure.metric.isShare ? ResultTables.percent(failure.limit) : failure.limit.sixDigits
  }

  private static func shown(_ value: Double?, _ metric: Metric) -> String {
    guard let value else { return "not measured" }
    return metric.isShare ? ResultTables.percent(value) : value.rounded(toError: value / 20)
  }
}
