import Formats

/// vLLM and SGLang, which read what transformers 5's config class leaves, through `get_rope` functions of their own.
extension FolderReader {
  func vllm() throws(Refusal) -> RuntimeReading {
    let read = try standardized()
    if let scaling = read.scaling, let type = scaling["type"]?.text,
      let ropeType = scaling["rope_type"]?.text, type != ropeType
    {
      throw Refusal(description: "ValueError: type '\(type)' and rope_type '\(ropeType)' conflict")
    }
    let dimensions = dimensions(read.partial)
    guard read.type == "longrope", let scaling = read.scaling else {
      return plain(.vllm, type: read.type, read.scaling, theta: read.theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    let derived = su(factor: Double(window) / Double(read.original), read.original)
    let used = table(
      "long", lists.long, scaling["long_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    var reading = RuntimeReading(.vllm)
    reading.long = used
    reading.short =
      window > read.original
      ? used
      : table(
        "short", lists.short, scaling["short_mscale"]?.double ?? derived, theta: read.theta,
        dimensions: dimensions)
    if window <= read.original { reading.long = reading.short }
    reading.switching = "at start: --max-model-len > \(read.original) means long for every input"
    return reading
  }

  func sglang() throws(Refusal) -> RuntimeReading {
    let read = try standardized()
    let dimensions = dimensions(config["partial_rotary_factor"]?.double ?? 1)
    guard read.type == "longrope", let scaling = read.scaling else {
      return plain(
        .sglang, type: read.type, read.scaling, theta: read.theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    let derived = su(factor: Double(window) / Double(read.original), read.original)
    var reading = RuntimeReading(.sglang)
    reading.short = table(
      "short", lists.short, scaling["short_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    reading.long = table(
      "long", lists.long, scaling["long_mscale"]?.double ?? derived, theta: read.theta,
      dimensions: dimensions)
    reading.switching = "each batch: any position > \(read.original); keys are not recomputed"
    // Positions count from 0: one token more than elsewhere.
    reading.rule = .kept(beyond: read.original + 1)
    return reading
  }
}
