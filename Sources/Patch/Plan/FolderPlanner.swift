import Formats

/// Plans the edits that put factors into a Hugging Face folder's configs.
///
/// Which member is written where, and for whose sake, is told in specs/runtimes.md.
package struct FolderPlanner {
  let model: HuggingFaceModel
  let factors: ModelFactors
  let options: ApplyOptions
  let stamp: Stamp

  package init(model: HuggingFaceModel, factors: ModelFactors, options: ApplyOptions, stamp: Stamp) {
    self.model = model
    self.factors = factors
    self.options = options
    self.stamp = stamp
  }

  /// The edited texts and what changed in them; no texts where the model already carries the factors.
  package func plan() throws -> Plan {
    var plan = Plan(changes: [], remarks: [], edits: [])
    var config = model.config
    try edit(&config)
    guard config.bytes != model.config.bytes || tokenizerNeedsEdit else { return plan }
    try config.set([Stamp.member], to: stamp.json)
    add(HuggingFaceModel.configName, from: model.config, to: config, &plan)
    if let tokenizer = model.tokenizerConfig, tokenizerNeedsEdit {
      var edited = tokenizer
      try edited.set(["model_max_length"], to: .number(factors.window))
      add(HuggingFaceModel.tokenizerConfigName, from: tokenizer, to: edited, &plan)
    }
    return plan
  }

  private func add(_ name: String, from old: JSONDocument, to new: JSONDocument, _ plan: inout Plan) {
    plan.changes += JSONDifference.changes(from: old.value, to: new.value, file: name)
    plan.edits.append(
      FileEdit(name: name, action: .contents(old: old.bytes, new: new.bytes)))
  }

  /// A limit below the new window would cut inputs off; one of 10^29 and more means none.
  private var tokenizerNeedsEdit: Bool {
    guard let limit = model.tokenizerConfig?.value["model_max_length"]?.double else { return false }
    return limit != Double(factors.window) && limit < 1e29
      && (limit < Double(factors.window) || limit == Double(model.geometry.window))
  }

  private func edit(_ config: inout JSONDocument) throws {
    let reader = ConfigReader(model.textConfig, model.path)
    let theta = try reader.thetaValue(model.architecture)
    let partial = model.textConfig["partial_rotary_factor"] ?? model.scaling?["partial_rotary_factor"]
    func set(_ name: String, _ value: JSONValue) throws {
      try config.set(model.location + [name], to: value)
    }
    try set("max_position_embeddings", .number(factors.window))
    try set("original_max_position_embeddings", .number(factors.originalWindow))
    try set(model.architecture.thetaKey, theta)
    if let partial, !partial.isNull { try set("partial_rotary_factor", partial) }
    try set("rope_scaling", .object(scalingMembers))
    if !model.architecture.isRemoteCode || model.textConfig["rope_parameters"] != nil {
      try set("rope_parameters", .object(parameterMembers(theta: theta, partial: partial)))
    }
    if model.architecture.needsHeadDimension, model.textConfig["head_dim"]?.integer == nil,
      let width = model.textConfig["hidden_size"]?.integer,
      let heads = model.textConfig["num_attention_heads"]?.integer
    {
      try set("head_dim", .number(width / heads))
    }
    if limitsWindow, !options.keepSlidingWindow { try set("sliding_window", .null) }
  }

  /// Whether a sliding window keeps attention from reaching across the new window.
  private var limitsWindow: Bool {
    guard model.architecture.slidesUnconditionally else { return false }
    let declared = model.textConfig["sliding_window"]
    if let declared, declared.isNull { return false }
    let window = declared?.integer ?? model.architecture.defaultSlidingWindow
    return window.map { $0 < factors.window } ?? false
  }

  // MARK: The scaling objects

  private var needsMscales: Bool {
    model.architecture.requiresMscales || !factors.isMscaleDerived
  }

  private var tables: [JSONMember] {
    [
      JSONMember("long_factor", .numbers(factors.long)),
      JSONMember("short_factor", .numbers(factors.short)),
    ]
  }

  private var mscales: [JSONMember] {
    var members: [JSONMember] = []
    if !factors.isMscaleDerived, !factors.mscalesDiffer {
      members.append(JSONMember("attention_factor", .number(factors.longMscale)))
    }
    members.append(JSONMember("long_mscale", .number(factors.longMscale)))
    members.append(JSONMember("short_mscale", .number(factors.shortMscale)))
    return members
  }

  /// All that readers look for. `rope_type` is read by transformers and vLLM, `type` by MLX and older readers;
  /// transformers 4 wants the factor written as a fraction.
  private var fullMembers: [JSONMember] {
    var members = [
      JSONMember("factor", .number(factors.scale)),
      tables[0],
      JSONMember("original_max_position_embeddings", .number(factors.originalWindow)),
      JSONMember("rope_type", .string("longrope")),
      tables[1],
      JSONMember("type", .string("longrope")),
    ]
    if needsMscales { members += mscales }
    return members
  }

  private var scalingMembers: [JSONMember] {
    if model.architecture.takesThreeKeysOnly, !needsMscales {
      return tables + [JSONMember("type", .string("longrope"))]
    }
    return fullMembers
  }

  private func parameterMembers(theta: JSONValue, partial: JSONValue?) -> [JSONMember] {
    var members = fullMembers
    if let partial, !partial.isNull { members.append(JSONMember("partial_rotary_factor", partial)) }
    members.append(JSONMember(model.architecture.thetaKey, theta))
    return members
  }
}

/// Who patched a model, as the model itself says it.
package struct Stamp: Equatable, Sendable {
  /// The config's member, and the prefix of a GGUF file's keys.
  package static let member = "lrpatch"

  package var version: String
  package var factorsSHA256: String

  package init(version: String, factorsSHA256: String) {
    self.version = version
    self.factorsSHA256 = factorsSHA256
  }

  var json: JSONValue {
    .object(["factors_sha256": .string(factorsSHA256), "version": .string(version)])
  }
}
