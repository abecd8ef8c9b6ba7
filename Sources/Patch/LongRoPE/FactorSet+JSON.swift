public import Formats
public import Models

/// The JSON forms of factors: the canonical form `lrpatch.factors/1` (specs/factors.schema.json)
/// and the scaling objects of configs.
extension FactorSet {
  /// The schema of the canonical form.
  public static let schema = DocumentSchema.factors.rawValue

  /// Reads any accepted JSON form: the canonical form, a config with `rope_scaling` or
  /// `rope_parameters`, or one of these objects by itself.
  /// - Throws: `ModelError` that names the missing or wrong member.
  public init(json value: JSONValue, subject: String) throws(ModelError) {
    if let schema = value["schema"] {
      guard schema.text == Self.schema else {
        throw .unsupported(subject, "schema \(schema.summary), expected '\(Self.schema)'")
      }
      try self.init(canonical: FactorReader(value, subject))
    } else if let scaling = ["rope_scaling", "rope_parameters"].compactMap({ value[$0] })
      .first(where: { $0["long_factor"] != nil })
    {
      try self.init(config: FactorReader(value, subject), FactorReader(scaling, subject))
    } else if value["long_factor"] != nil {
      try self.init(config: FactorReader(.object([]), subject), FactorReader(value, subject))
    } else {
      throw .unsupported(
        subject,
        "contains no factors: expected \"schema\": \"\(Self.schema)\", or a rope_scaling or rope_parameters object with long_factor"
      )
    }
  }

  private init(canonical reader: FactorReader) throws(ModelError) {
    try reader.refuseUnknown([
      "schema", "original_max_position_embeddings", "max_position_embeddings", "long_factor",
      "short_factor", "mscale", "start_tokens", "buckets", "requires", "provenance",
    ])
    let requirements = try reader.object("requires")
    try requirements?.refuseUnknown(["rotary_dimensions", "rope_theta", "layers"])
    self.init(
      originalWindow: try reader.length("original_max_position_embeddings"),
      window: try reader.length("max_position_embeddings"),
      long: try reader.requiredTable("long_factor"),
      short: try reader.table("short_factor"),
      mscale: try reader.mscale(),
      startTokens: try reader.natural("start_tokens") ?? 0,
      buckets: try reader.buckets(),
      requires: Requirements(
        rotaryDimensions: try requirements?.natural("rotary_dimensions"),
        theta: try requirements?.positive("rope_theta"),
        layers: try requirements?.natural("layers")),
      provenance: reader.value["provenance"])
    try validate(reader.subject)
  }

  /// - Parameters:
  ///   - config: the model's config, or an empty object.
  ///   - scaling: the scaling object of the config.
  private init(config: FactorReader, _ scaling: FactorReader) throws(ModelError) {
    let type = scaling.value["rope_type"]?.text ?? scaling.value["type"]?.text ?? "longrope"
    guard ["longrope", "su", "yarn"].contains(type) else {
      throw .unsupported(config.subject, "rope type '\(type.sanitized)', expected 'longrope'")
    }
    var original = try config.length("original_max_position_embeddings")
    if original == nil { original = try scaling.length("original_max_position_embeddings") }
    let factor = try scaling.positive("factor")
    var window = try config.length("max_position_embeddings")
    if window == nil, let original, let factor {
      window = try scaling.length("factor", times: factor, original)
    }
    self.init(
      originalWindow: original ?? window, window: window,
      long: try scaling.requiredTable("long_factor"),
      short: try scaling.table("short_factor"),
      mscale: try scaling.configMscale())
    try validate(config.subject)
  }

  /// Checks that the parts of the set agree.
  /// - Throws: `ModelError` for an implausible factor, for lists of different lengths, or for a
  ///   window below the original window.
  public func validate(_ subject: String) throws(ModelError) {
    for table in [long, short].compactMap(\.self) + buckets.map(\.factors) {
      if let wrong = table.rows.joined().first(where: { !Self.plausible.contains($0) }) {
        throw .unsupported(subject, "a factor is \(wrong), expected \(Self.expectedFactor)")
      }
    }
    if let short, short.pairs != long.pairs {
      throw .unsupported(
        subject, "long_factor has \(long.pairs) factors and short_factor \(short.pairs)")
    }
    for bucket in buckets where bucket.factors.pairs != long.pairs {
      throw .unsupported(
        subject,
        "the bucket up to \(bucket.maximumLength) has \(bucket.factors.pairs) factors, expected \(long.pairs)"
      )
    }
    if let originalWindow, let window, window < originalWindow, !hasOneTable {
      throw .unsupported(
        subject, "the window \(window) is smaller than the original window \(originalWindow)")
    }
  }

  /// Whether long and short factors are the same, so that the original window changes nothing.
  ///
  /// MiniCPM-V 4.0 is published so, with an original window above its window.
  var hasOneTable: Bool { short == long && buckets.isEmpty }

  /// The canonical form.
  public var json: JSONValue {
    var members: [JSONMember] = [JSONMember("schema", .string(Self.schema))]
    func add(_ name: String, _ value: JSONValue?) {
      if let value { members.append(JSONMember(name, value)) }
    }
    add("original_max_position_embeddings", originalWindow.map { .number($0) })
    add("max_position_embeddings", window.map { .number($0) })
    add("long_factor", long.json)
    add("short_factor", short?.json)
    add("mscale", mscale.json)
    if startTokens > 0 { add("start_tokens", .number(startTokens)) }
    if !buckets.isEmpty {
      add(
        "buckets",
        .array(
          buckets.map {
            .object(["max_length": .number($0.maximumLength), "factor": $0.factors.json])
          }))
    }
    var needs: [JSONMember] = []
    if let count = requires.rotaryDimensions {
      needs.append(JSONMember("rotary_dimensions", .number(count)))
    }
    if let theta = requires.theta { needs.append(JSONMember("rope_theta", .number(theta))) }
    if let layers = requires.layers { needs.append(JSONMember("layers", .number(layers))) }
    if !needs.isEmpty { add("requires", .object(needs)) }
    add("provenance", provenance)
    return .object(members)
  }
}

extension FactorTable {
  var json: JSONValue {
    switch self {
    case .uniform(let row): .numbers(row)
    case .perLayer(let rows): .array(rows.map { .numbers($0) })
    }
  }
}

extension Mscale {
  var json: JSONValue {
    switch self {
    case .su: .string("su")
    case .yarn: .string("yarn")
    case .none: .string("none")
    case .literal(let long, let short):
      .object(["long": .number(long), "short": .number(short)])
    }
  }
}

/// Reads the members of one JSON object and throws errors that name them.
private struct FactorReader {
  /// Larger than any window, but small enough that arithmetic on it cannot overflow.
  private static let maximumLength = 1 << 40

  let value: JSONValue
  let subject: String

  init(_ value: JSONValue, _ subject: String) {
    self.value = value
    self.subject = subject
  }

  private func wrong(_ name: String, _ expected: String) -> ModelError {
    .unsupported(subject, "'\(name)' is \(value[name]?.summary ?? "missing"), expected \(expected)")
  }

  /// Refuses unknown members, so that a misspelt member is not mistaken for an absent one.
  func refuseUnknown(_ known: Set<String>) throws(ModelError) {
    if let member = value.members?.first(where: { !known.contains($0.name) }) {
      throw .unsupported(
        subject,
        "unknown member '\(member.name.sanitized)', expected one of \(known.sorted().joined(separator: ", "))"
      )
    }
  }

  func object(_ name: String) throws(ModelError) -> FactorReader? {
    guard let member = value[name], !member.isNull else { return nil }
    guard member.members != nil else { throw wrong(name, "an object") }
    return FactorReader(member, subject)
  }

  func natural(_ name: String) throws(ModelError) -> Int? {
    guard let member = value[name], !member.isNull else { return nil }
    guard let number = member.integer, number >= 0, number <= Self.maximumLength else {
      throw wrong(name, "a whole number from 0 to \(Self.maximumLength)")
    }
    return number
  }

  func length(_ name: String) throws(ModelError) -> Int? {
    let number = try natural(name)
    guard number != 0 else { throw wrong(name, "a number of tokens") }
    return number
  }

  /// A length that is a factor times another one.
  func length(
    _ name: String, times factor: Double, _ original: Int
  ) throws(ModelError) -> Int {
    let product = (Double(original) * factor).rounded()
    guard product >= 1, product <= Double(Self.maximumLength) else {
      throw wrong(name, "one that makes a window of at most \(Self.maximumLength) tokens")
    }
    return Int(product)
  }

  func positive(_ name: String) throws(ModelError) -> Double? {
    guard let member = value[name], !member.isNull else { return nil }
    guard let number = member.double, number > 0 else { throw wrong(name, "a positive number") }
    return number
  }

  func mscale(_ name: String) throws(ModelError) -> Double? {
    guard let number = try positive(name) else { return nil }
    guard FactorSet.plausibleMscale.contains(number) else {
      throw wrong(name, FactorSet.expectedMscale)
    }
    return number
  }

  func requiredTable(_ name: String) throws(ModelError) -> FactorTable {
    guard let table = try table(name) else { throw wrong(name, "a list of numbers") }
    return table
  }

  func table(_ name: String) throws(ModelError) -> FactorTable? {
    guard let member = value[name], !member.isNull else { return nil }
    if let row = member.doubles { return .uniform(try factors(row, name)) }
    guard let elements = member.elements, !elements.isEmpty else {
      throw wrong(name, "a list of numbers, or one list per layer")
    }
    var rows: [[Double]] = []
    for element in elements {
      guard let row = element.doubles else {
        throw wrong(name, "a list of numbers, or one list per layer")
      }
      rows.append(try factors(row, name))
    }
    guard rows.allSatisfy({ $0.count == rows[0].count }) else {
      throw .unsupported(subject, "'\(name)': the lists of the layers differ in length")
    }
    return FactorTable(rows: rows)
  }

  private func factors(_ row: [Double], _ name: String) throws(ModelError) -> [Double] {
    guard !row.isEmpty else { throw .unsupported(subject, "'\(name)' is an empty list") }
    if let index = row.firstIndex(where: { !FactorSet.plausible.contains($0) }) {
      throw .unsupported(
        subject,
        "'\(name)' has the factor \(row[index]) at index \(index), expected \(FactorSet.expectedFactor)"
      )
    }
    return row
  }

  func buckets() throws(ModelError) -> [FactorSet.Bucket] {
    guard let member = value["buckets"], !member.isNull else { return [] }
    guard let elements = member.elements else { throw wrong("buckets", "a list") }
    var result: [FactorSet.Bucket] = []
    for element in elements {
      let reader = FactorReader(element, subject)
      guard let length = try reader.length("max_length") else {
        throw reader.wrong("max_length", "a number of tokens")
      }
      result.append(
        FactorSet.Bucket(maximumLength: length, factors: try reader.requiredTable("factor")))
    }
    return result
  }

  func mscale() throws(ModelError) -> Mscale {
    guard let member = value["mscale"], !member.isNull else { return .su }
    switch member.text {
    case "su": return .su
    case "yarn": return .yarn
    case "none": return .none
    default: break
    }
    guard let pair = try? object("mscale") else {
      guard let number = try mscale("mscale") else {
        throw wrong("mscale", "\"su\", \"yarn\", \"none\" or an object with long and short")
      }
      return .literal(long: number, short: number)
    }
    guard let long = try pair.mscale("long") else { throw pair.wrong("long", "a number") }
    return .literal(long: long, short: try pair.mscale("short") ?? long)
  }

  /// The mscales of vLLM, SGLang and Phi, or `attention_factor`, or su if there are none.
  func configMscale() throws(ModelError) -> Mscale {
    if let long = try mscale("long_mscale") {
      return .literal(long: long, short: try mscale("short_mscale") ?? long)
    }
    if let both = try mscale("attention_factor") { return .literal(long: both, short: both) }
    return .su
  }
}
