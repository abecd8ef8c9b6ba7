import Formats

/// The measurements as members of a saved result.
extension Measurements {
  init(_ reader: ResultReader) throws {
    self.init(originalWindow: try reader.count("original_window"))
    passkeys = try reader.list("passkeys") { try Passkey.Result($0) }
    if reader.json["baseline_passkeys"] != nil {
      baselinePasskeys = try reader.list("baseline_passkeys") { try Passkey.Result($0) }
    }
    answers = try reader.list("answers") { try AnswerResult($0) }
    perplexities = try reader.list("perplexities") { try NamedPerplexity($0) }
    retentions = try reader.list("retention") { try Retention.Result($0) }
    crossings = try reader.list("crossings") { try WindowCrossing.Result($0) }
    // Results of older versions have none.
    if reader.json["benchmarks"] != nil {
      benchmarks = try reader.list("benchmarks") { try BenchmarkResult.read($0) }.flatMap { $0 }
    }
    skipped = try reader.list("skipped") { try Skipped($0) }
    let missing = try reader.list("missing") { (try Place($0), try $0.count("results")) }
    for (place, count) in missing { self.missing[place] = count }
  }
}

extension Measurements.Place {
  fileprivate init(_ reader: ResultReader) throws {
    guard let metric = Metric(rawValue: try reader.text("metric")) else {
      throw reader.wrong("metric", "a metric")
    }
    self.init(
      metric: metric, runtime: try reader.name("runtime"), length: try reader.length())
  }
}

extension Measurements.Skipped {
  var json: JSONValue {
    .object(["task": .string(task), "length": .number(length), "reason": .string(reason)])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      task: try reader.name("task"), length: try reader.count("length"),
      reason: try reader.name("reason"))
  }
}

extension Passkey.Result {
  var json: JSONValue {
    .object([
      "runtime": .string(runtime), "length": .number(cell.length), "depth": .number(cell.depth),
      "sample": .number(cell.sample), "key": .number(key), "exact": .bool(isExact),
      "published": isPublished.map { .bool($0) } ?? .null, "margin": .number(margin),
      "answer": answer.map { .string($0) } ?? .null,
      "prompt_tail": promptTail.map { .string($0) } ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      runtime: try reader.name("runtime"), cell: try Passkey.Cell(reader),
      key: try reader.count("key"), isExact: try reader.flag("exact"),
      isPublished: reader.json["published"]?.flag, margin: try reader.number("margin"),
      answer: try reader.optionalText("answer"),
      promptTail: try reader.optionalText("prompt_tail"))
  }
}

extension Passkey.Cell {
  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      length: try reader.length(), depth: try reader.depth(), sample: try reader.count("sample"))
  }
}

extension AnswerResult {
  var json: JSONValue {
    .object([
      "task": .string(task), "runtime": .string(runtime), "length": .number(cell.length),
      "depth": depth.map { .number($0) } ?? .null, "sample": .number(cell.sample),
      "score": .number(score), "references": .array(references.map { .string($0) }),
      "output": .string(output), "prompt_tail": promptTail.map { .string($0) } ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    guard Metric(rawValue: try reader.name("task")) != nil else {
      throw reader.wrong("task", "a task")
    }
    self.init(
      task: try reader.name("task"), runtime: try reader.name("runtime"),
      cell: try Passkey.Cell(reader), references: try reader.texts("references"),
      output: try reader.text("output"), promptTail: try reader.optionalText("prompt_tail"))
  }
}

extension Measurements.NamedPerplexity {
  func json(method: String) -> JSONValue {
    .object([
      "text": .string(text), "runtime": .string(result.runtime), "length": .number(result.length),
      "method": .string(method), "perplexity": .number(result.value),
      "standard_error": .number(result.standardError), "tokens": .number(result.tokens),
      "windows": .number(result.windows),
      "scored_sha256": result.digest.map { .string($0) } ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      text: try reader.name("text"),
      result: Perplexity.Result(
        runtime: try reader.name("runtime"), length: try reader.length(),
        value: try reader.number("perplexity"),
        standardError: try reader.number("standard_error"), tokens: try reader.count("tokens"),
        windows: try reader.count("windows"), digest: try reader.optionalName("scored_sha256")))
  }
}

extension WindowCrossing.Result {
  var json: JSONValue {
    .object([
      "runtime": .string(runtime), "length": .number(length), "perplexity": .number(perplexity),
      "tokens": .number(tokens), "rotated_again": rotatedAgain.map { .number($0) } ?? .null,
      "standard_error": standardError.map { .number($0) } ?? .null,
    ])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      runtime: try reader.name("runtime"), length: try reader.length(),
      perplexity: try reader.number("perplexity"), tokens: try reader.count("tokens"),
      rotatedAgain: reader.json["rotated_again"]?.double,
      standardError: reader.json["standard_error"]?.double)
  }
}
