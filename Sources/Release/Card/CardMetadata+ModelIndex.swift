import Models
internal import Yams

/// The model index: a list of models, each with a name and a list of results.
///
///     model-index:
///     - name: mine
///       results:
///       - task: ...
extension CardMetadata {
  /// Puts results into the model index.
  ///
  /// They replace the results with the dataset type `lrpatch`; all others stay.
  /// - Parameter takesOnlyModel: whether the only model of an index is this one, whatever its name.
  mutating func setResults(
    _ results: [CardResult], model: String, takesOnlyModel: Bool
  ) throws(ModelError) {
    guard let index = try root()["model-index"], index.null == nil,
      index.sequence?.isEmpty != true
    else {
      guard !results.isEmpty else { return }
      return try replace("model-index", by: ["model-index:"] + Self.lines(model, results))
    }
    guard let models = index.sequence, isBlock(models) else {
      throw unusual("'model-index' is not a block list")
    }
    let end = try range(of: "model-index").upperBound
    let named = models.firstIndex { $0.mapping?["name"]?.string == model }
    if let place = named ?? (takesOnlyModel && models.count == 1 ? 0 : nil) {
      guard let entry = models[place].mapping, character(at: entry.mark) != "{" else {
        throw unusual("a model of 'model-index' is not a block mapping")
      }
      try setResults(results, of: entry, at: itemRange(place, of: models, until: end))
    } else if !results.isEmpty {
      let last = try itemRange(models.count - 1, of: models, until: end)
      let indent = Self.indent(text.lines[last.lowerBound])
      let added = text.ended(Self.lines(model, results).map { indent + $0 })
      text.lines.insert(contentsOf: added, at: last.upperBound)
    }
  }

  private static func lines(_ model: String, _ results: [CardResult]) -> [String] {
    ["- name: \(YAMLText.scalar(model))", "  results:"]
      + results.flatMap { $0.lines(indent: "  ") }
  }

  /// - Parameter place: the model's lines, from its dash on.
  private mutating func setResults(
    _ results: [CardResult], of entry: Node.Mapping, at place: Range<Int>
  ) throws(ModelError) {
    let value = entry["results"]
    let line = entry.first { $0.key.string == "results" }?.key.mark.map { $0.line - 1 }
    if let old = value?.sequence, !old.isEmpty, let line {
      guard isBlock(old) else {
        throw unusual("'results' in 'model-index' is not a block list")
      }
      let lines = entry.compactMap { $0.key.mark?.line }.map { $0 - 1 }
      let next = lines.filter { $0 > line }.min() ?? place.upperBound
      return try replaceOwn(
        of: old, by: results, named: line, until: trimmed(line + 1..<next).upperBound)
    }
    guard value == nil || value?.null != nil || value?.sequence?.isEmpty == true else {
      throw unusual("'results' in 'model-index' is not a list")
    }
    guard !results.isEmpty else { return }
    let indent = Self.indent(text.lines[place.lowerBound]) + "  "
    let added = text.ended(["\(indent)results:"] + results.flatMap { $0.lines(indent: indent) })
    guard let line else { return text.lines.insert(contentsOf: added, at: place.upperBound) }
    guard line > place.lowerBound else {
      throw unusual("'results' in 'model-index' is on the line of the dash")
    }
    text.lines.replaceSubrange(line...line, with: added)
  }

  /// - Parameters:
  ///   - line: of the member `results`.
  ///   - end: the line after the last result.
  private mutating func replaceOwn(
    of old: Node.Sequence, by results: [CardResult], named line: Int, until end: Int
  ) throws(ModelError) {
    var ranges: [Range<Int>] = []
    for item in old.indices { ranges.append(try itemRange(item, of: old, until: end)) }
    let indent = Self.indent(text.lines[ranges[0].lowerBound])
    text.lines.insert(contentsOf: text.ended(results.flatMap { $0.lines(indent: indent) }), at: end)
    let own = zip(old, ranges).filter { CardResult.isOwn($0.0) }.map(\.1)
    for range in own.reversed() { text.lines.removeSubrange(range) }
    if results.isEmpty, own.count == ranges.count {
      text.lines[line] = "\(Self.indent(text.lines[line]))results: []\(text.newline)"
    }
  }
}

extension CardResult {
  /// Whether a result of a card was written by this program.
  static func isOwn(_ result: Node) -> Bool {
    result.mapping?["dataset"]?["type"]?.string == datasetType
  }
}
