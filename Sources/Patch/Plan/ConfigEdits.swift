import Formats
package import Models

/// Plans the edits that write factors into the configs of a Hugging Face folder.
///
/// specs/runtimes.md explains which member is written where, and which runtime needs it.
package struct ConfigEdits {
  let model: ModelFolder
  let factors: ModelFactors
  let options: ApplyOptions
  let mark: PatchMark

  package init(model: ModelFolder, factors: ModelFactors, options: ApplyOptions, mark: PatchMark) {
    self.model = model
    self.factors = factors
    self.options = options
    self.mark = mark
  }

  /// The edits and the changes in words; empty if the model already has the factors.
  package func plan() throws -> Plan {
    var plan = Plan(changes: [], remarks: [], edits: [])
    var config = model.config
    try edit(&config)
    guard config.bytes != model.config.bytes || tokenizerNeedsEdit else { return plan }
    try config.set([PatchMark.member], to: mark.json)
    add(ModelFolder.configName, from: model.config, to: config, &plan)
    if let tokenizer = model.tokenizerConfig, tokenizerNeedsEdit {
      var edited = tokenizer
      try edited.set(["model_max_length"], to: .number(factors.window))
      add(ModelFolder.tokenizerConfigName, from: tokenizer, to: edited, &plan)
    }
    return plan
  }

  private func add(
    _ name: String, from old: JSONDocument, to new: JSONDocument, _ plan: inout Plan
  ) {
    plan.changes += JSONDifference.changes(from: old.value, to: new.value, file: name)
    plan.edits.append(
      FileEdit(name: name, action: .contents(old: old.bytes, new: new.bytes)))
  }

  /// Whether `model_max_length` must change.
  ///
  /// A limit below the new window would truncate inputs. A limit of at least 10^29 means none.
  private var tokenizerNeedsEdit: Bool {
    guard let limit = model.tokenizerConfig?.value["model_max_length"]?.double else { return false }
    return limit != Double(factors.window) && limit < 1e29
      && (limit < Double(factors.window) || limit == Double(model.geometry.window))
  }

  private func edit(_ config: inout JSONDocument) throws {
    let reader = RopeConfig(model.textConfig, model.path)
    let theta = try reader.thetaValue(model.architecture)
    let partial =
      model.textConfig["partial_rotary_factor"] ?? model.scaling?["partial_rotary_factor"]
    func set(_ name: String, _ value: JSONValue) throws {
      try config.set(model.location + [name], to: value)
    }
    try set("max_position_embeddings", .number(factors.window))
    try set("original_max_position_embeddings", .number(factors.originalWindow))
    try set(model.architecture.rope.thetaKey, theta)
    if let partial, !partial.isNull { try set("partial_rotary_factor", partial) }
    try set("rope_scaling", .object(scalingMembers))
    if !model.architecture.transformers.isRemoteCode || model.textConfig["rope_parameters"] != nil {
      try set("rope_parameters", .object(parameterMembers(theta: theta, partial: partial)))
    }
    if model.architecture.transformers.requiresHeadDimension,
      model.textConfig["head_dim"]?.integer == nil,
      let width = model.textConfig["hidden_size"]?.integer,
      let heads = model.textConfig["num_attention_heads"]?.integer
    {
      try set("head_dim", .number(width / heads))
    }
    if options.keepSlidingWindow { return }
    if limitsWindow { try set("sliding_window", .null) }
    if let count = model.geometry.layers, hasTypedWindow || limitsWindow && layersHaveTypes {
      let types = Array(repeating: JSONValue.string("full_attention"), count: count)
      try set("layer_types", .array(types))
    }
  }

  private var layersHaveTypes: Bool { model.textConfig["layer_types"]?.elements != nil }

  /// Whether some layers have a window by their type, which must not be turned off by a null.
  private var hasTypedWindow: Bool {
    guard case .byType = model.architecture.slidingWindow,
      let count = model.geometry.layers,
      let windows = try? model.slidingWindows(layers: count)
    else { return false }
    return windows.contains { $0.map { $0 < factors.window } ?? false }
  }

  /// Whether a sliding window keeps attention from reaching across the new window.
  private var limitsWindow: Bool {
    guard case .always(let missing) = model.architecture.slidingWindow else { return false }
    let declared = model.textConfig["sliding_window"]
    if let declared, declared.isNull { return false }
    let window = declared?.integer ?? missing
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

  /// All members that any runtime reads.
  ///
  /// transformers and vLLM read `rope_type`, MLX-LM and older runtimes `type`. transformers 4
  /// expects `factor` to be written with a fraction.
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
    return members + keptMembers
  }

  /// What the scaling object holds besides the scaling.
  private var keptMembers: [JSONMember] {
    model.architecture.rope.keptMembers.compactMap { name in
      model.scaling?[name].map { JSONMember(name, $0) }
    }
  }

  private var scalingMembers: [JSONMember] {
    if model.architecture.transformers.takesThreeKeysOnly, !needsMscales {
      return tables + [JSONMember("type", .string("longrope"))]
    }
    return fullMembers
  }

  private func parameterMembers(theta: JSONValue, partial: JSONValue?) -> [JSONMember] {
    var members = fullMembers
    if let partial, !partial.isNull { members.append(JSONMember("partial_rotary_factor", partial)) }
    members.append(JSONMember(model.architecture.rope.thetaKey, theta))
    return members
  }
}
