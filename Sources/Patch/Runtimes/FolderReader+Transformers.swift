import Formats

/// transformers 5 and 4: the config classes and `modeling_rope_utils`.
extension FolderReader {
  /// The scaling as transformers 5's config class leaves it, which vLLM and SGLang read too.
  struct Standardized {
    var scaling: JSONValue?
    var type: String
    var theta: Double
    var partial: Double
    var original: Int
  }

  func standardized() throws(Refusal) -> Standardized {
    let scaling = object("rope_scaling") ?? object("rope_parameters")
    var type = scaling?["rope_type"]?.text ?? scaling?["type"]?.text ?? "default"
    let nested = scaling?["original_max_position_embeddings"]?.integer
    let isPhi3 = architecture.takesThreeKeysOnly
    if type == "su" || (isPhi3 && type == "yarn") {
      guard isPhi3 || architecture.isRemoteCode else {
        throw Refusal(description: "KeyError: the rope type 'su' is unknown")
      }
      guard nested != nil else {
        throw Refusal(
          description: "KeyError: a '\(type)' object needs original_max_position_embeddings inside")
      }
      type = "longrope"
    }
    let top = config["original_max_position_embeddings"]?.integer ?? (isPhi3 ? 4096 : nil)
    return Standardized(
      scaling: scaling, type: type,
      theta: scaling?["rope_theta"]?.double ?? topTheta(),
      partial: scaling?["partial_rotary_factor"]?.double
        ?? config["partial_rotary_factor"]?.double ?? 1,
      original: top ?? nested ?? window)
  }

  func dimensions(_ partial: Double) -> Int { Int(Double(fullDimensions) * partial) }

  func transformers5() throws(Refusal) -> RuntimeReading {
    let read = try standardized()
    let dimensions = dimensions(read.partial)
    guard read.type == "longrope", let scaling = read.scaling else {
      return plain(
        .transformers5, type: read.type, read.scaling, theta: read.theta, dimensions: dimensions)
    }
    let lists = try lists(scaling, dimensions: dimensions)
    var reading = RuntimeReading(.transformers5)
    let factor = scaling["factor"]?.double ?? Double(window) / Double(read.original)
    var longScale = scaling["attention_factor"]?.double ?? su(factor: factor, read.original)
    var shortScale = longScale
    if architecture.requiresMscales {
      (longScale, shortScale) = try requiredMscales(scaling, "TypeError")
      reading.notes.append("its phimoe uses the short factors at every length")
    }
    let longList = architecture.requiresMscales ? lists.short : lists.long
    reading.short = table(
      "short", lists.short, shortScale, theta: read.theta, dimensions: dimensions)
    reading.long = table(
      architecture.requiresMscales ? "short" : "long", longList, longScale, theta: read.theta,
      dimensions: dimensions)
    reading.switching = "each forward pass: longest position + 1 > \(read.original)"
    if !architecture.takesThreeKeysOnly && !architecture.requiresMscales {
      if lists.short != lists.long || shortScale != longScale {
        reading.notes.append("keys cached before the crossing keep their short rotation")
      }
      reading.rule = .kept(beyond: read.original)
    } else {
      reading.rule = .recomputed(beyond: read.original)
    }
    return reading
  }

  func requiredMscales(
    _ scaling: JSONValue, _ error: String
  ) throws(Refusal) -> (long: Double, short: Double) {
    guard let long = scaling["long_mscale"]?.double, let short = scaling["short_mscale"]?.double
    else {
      throw Refusal(description: "\(error): the scaling object needs long_mscale and short_mscale")
    }
    return (long, short)
  }

  func transformers4() throws(Refusal) -> RuntimeReading {
    let theta = topTheta()
    let dimensions = dimensions(config["partial_rotary_factor"]?.double ?? 1)
    guard let scaling = object("rope_scaling") else {
      var reading = plain(
        .transformers4, type: nil, nil, theta: theta, dimensions: dimensions)
      if object("rope_parameters") != nil {
        reading.notes.append("it does not read rope_parameters")
      }
      return reading
    }
    // A `type` overwrites `rope_type` there.
    var type = scaling["type"]?.text ?? scaling["rope_type"]?.text ?? "default"
    if architecture.takesThreeKeysOnly {
      if ["su", "yarn"].contains(type) { type = "longrope" }
      let keys = Set(scaling.members?.map(\.name) ?? [])
      guard keys == ["type", "short_factor", "long_factor"], type == "longrope" else {
        throw Refusal(
          description:
            "ValueError: rope_scaling must have exactly the keys type, short_factor, long_factor")
      }
    } else if scaling["rope_type"] == nil,
      ["granite", "granitemoe", "phimoe"].contains(architecture.modelType)
    {
      throw Refusal(description: "KeyError: rope_scaling has no rope_type")
    }
    guard type == "longrope" else {
      if type == "su" { throw Refusal(description: "KeyError: the rope type 'su' is unknown") }
      return plain(.transformers4, type: type, scaling, theta: theta, dimensions: dimensions)
    }
    if architecture.needsHeadDimension, config["head_dim"]?.integer == nil {
      throw Refusal(description: "TypeError: head_dim is null where the config does not say it")
    }
    return try transformers4LongRoPE(scaling, theta: theta, dimensions: dimensions)
  }

  private func transformers4LongRoPE(
    _ scaling: JSONValue, theta: Double, dimensions: Int
  ) throws(Refusal) -> RuntimeReading {
    let lists = try lists(scaling, dimensions: dimensions)
    var top = config["original_max_position_embeddings"]?.integer
    if top == nil, architecture.requiresMscales {
      top = scaling["original_max_position_embeddings"]?.integer
    }
    if top == nil, architecture.takesThreeKeysOnly { top = 4096 }
    let original = top ?? window
    let factor =
      top == nil ? scaling["factor"]?.double ?? 1 : Double(window) / Double(original)
    var longScale = scaling["attention_factor"]?.double ?? su(factor: factor, original)
    var shortScale = longScale
    if architecture.requiresMscales { (longScale, shortScale) = try requiredMscales(scaling, "KeyError") }
    var reading = RuntimeReading(.transformers4)
    reading.short = table(
      "short", lists.short, shortScale, theta: theta, dimensions: dimensions)
    // Without a top-level original window the switch lies beyond the window.
    reading.long =
      top == nil
      ? reading.short
      : table("long", lists.long, longScale, theta: theta, dimensions: dimensions)
    if top == nil {
      reading.notes.append("never long: it reads the original window at the top level only")
    }
    reading.switching = "each forward pass: longest position + 1 > \(original)"
    let recomputes = architecture.takesThreeKeysOnly || architecture.requiresMscales
    reading.rule = recomputes ? .recomputed(beyond: original) : .kept(beyond: original)
    return reading
  }
}
