import Formats

/// Comparisons with a baseline as members of a saved result.
extension Retention.Result {
  var json: JSONValue {
    .object([
      "runtime": .string(runtime), "length": .number(length), "perplexity": .number(perplexity),
      "baseline_perplexity": .number(baselinePerplexity), "perplexity_ratio": .number(ratio),
      "kl": .number(divergence), "top1": .number(agreement), "tokens": .number(tokens),
      "errors": errors?.json ?? .null, "parts": .array(parts.map(\.json)),
    ])
  }

  init(_ reader: ResultReader) throws {
    self.init(
      runtime: try reader.name("runtime"), length: try reader.length(),
      perplexity: try reader.number("perplexity"),
      baselinePerplexity: try reader.number("baseline_perplexity"),
      divergence: try reader.number("kl"), agreement: try reader.number("top1"),
      tokens: try reader.count("tokens"))
    errors = try Retention.Errors(of: reader)
    // Results of older versions have none.
    if reader.json["parts"] != nil { parts = try reader.list("parts") { try Retention.Part($0) } }
  }
}

extension Retention.Part {
  fileprivate var json: JSONValue {
    .object([
      "from": .number(positions.lowerBound), "to": .number(positions.upperBound),
      "perplexity_ratio": .number(ratio), "kl": .number(divergence), "top1": .number(agreement),
      "tokens": .number(tokens), "errors": errors?.json ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    let (from, to) = (try reader.count("from"), try reader.count("to"))
    guard from < to else { throw reader.wrong("to", "a position after \(from)") }
    self.init(
      positions: from..<to, ratio: try reader.number("perplexity_ratio"),
      divergence: try reader.number("kl"), agreement: try reader.number("top1"),
      tokens: try reader.count("tokens"), errors: try Retention.Errors(of: reader))
  }
}

extension Retention.Errors {
  fileprivate var json: JSONValue {
    .object([
      "perplexity": .number(perplexity), "perplexity_ratio": .number(ratio),
      "kl": .number(divergence),
    ])
  }

  /// Results of older versions have none.
  fileprivate init?(of reader: ResultReader) throws {
    guard let value = reader.json["errors"], !value.isNull else { return nil }
    let reader = try reader.inside("errors")
    self.init(
      perplexity: try reader.number("perplexity"), ratio: try reader.number("perplexity_ratio"),
      divergence: try reader.number("kl"))
  }
}
