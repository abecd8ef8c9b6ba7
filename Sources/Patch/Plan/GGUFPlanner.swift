import Formats

/// Plans the keys and tensors that put factors into a GGUF model, as llama.cpp reads them (specs/runtimes.md).
struct GGUFPlanner {
  let model: GGUFModel
  let factors: ModelFactors
  let stamp: Stamp

  /// The edits shard by shard, without the undo record; an empty one where a shard stays as it is.
  func edits() throws -> [GGUFEdit] {
    var edits = model.shards.map { _ in GGUFEdit() }
    edits[0].setKeys = changedKeys(wantedKeys, in: model.first.header)
    edits[0].removedKeys = staleKeys.intersection(model.first.header.keys.map(\.name))
    let added = try placeTensors(&edits)
    if model.isSplit, added != 0 { try raiseTensorCount(by: added, &edits) }
    if edits.contains(where: { !$0.isEmpty }) {
      edits[0].setKeys += changedKeys(stampKeys, in: model.first.header)
    }
    return edits
  }

  private var prefix: String { model.geometry.architecture }

  var wantedKeys: [(name: String, value: GGUFValue)] {
    [
      ("\(prefix).context_length", .uint32(UInt32(factors.window))),
      ("\(prefix).rope.scaling.type", .string("longrope")),
      (
        "\(prefix).rope.scaling.original_context_length",
        .uint32(UInt32(factors.originalWindow))
      ),
      ("\(prefix).rope.scaling.attn_factor", .float32(Float(factors.longMscale))),
    ]
  }

  var stampKeys: [(name: String, value: GGUFValue)] {
    [
      ("\(Stamp.member).version", .string(stamp.version)),
      ("\(Stamp.member).factors_sha256", .string(stamp.factorsSHA256)),
    ]
  }

  /// Keys that would scale the frequencies once more, or switch RoPE off (`finetuned` false, in granite).
  var staleKeys: Set<String> {
    var keys: Set = [
      "\(prefix).rope.scaling.factor", "\(prefix).rope.scale_linear",
      "\(prefix).rope.scaling.yarn_ext_factor", "\(prefix).rope.scaling.yarn_attn_factor",
      "\(prefix).rope.scaling.yarn_beta_fast", "\(prefix).rope.scaling.yarn_beta_slow",
      "\(prefix).rope.scaling.yarn_log_multiplier",
    ]
    if model.first.header[key: "\(prefix).rope.scaling.finetuned"] == .bool(false) {
      keys.insert("\(prefix).rope.scaling.finetuned")
    }
    return keys
  }

  /// Those of `keys` that are absent or say something else.
  private func changedKeys(
    _ keys: [(name: String, value: GGUFValue)], in header: GGUFHeader
  ) -> [(name: String, value: GGUFValue)] {
    keys.filter { pair in
      guard let old = header[key: pair.name] else { return true }
      // A whole number of another width says the same.
      if let left = old.integer, let right = pair.value.integer { return left != right }
      return old != pair.value
    }
  }

  // MARK: Tensors

  /// - Returns: how many tensors the model gains.
  private func placeTensors(_ edits: inout [GGUFEdit]) throws -> Int {
    var added = 0
    var freed = frequencyTensor
    for (name, values) in [
      (GGUFModel.longName, factors.long.map { Float($0) }),
      (GGUFModel.shortName, factors.short.map { Float($0) }),
    ] {
      if let (shard, tensor) = find(name) {
        try require(tensor, holds: values.count, shard)
        let old = name == GGUFModel.longName ? model.longFactors : model.shortFactors
        if old != values { edits[shard].tensorData.append((name, Self.encoded(values))) }
      } else if let (shard, tensor) = freed {
        // `rope_freqs.weight` has the type and size of the factors: they take its place.
        try require(tensor, holds: values.count, shard)
        edits[shard].renamedTensors[tensor.name] = name
        edits[shard].tensorData.append((name, Self.encoded(values)))
        freed = nil
      } else {
        edits[0].addedTensors.append((name, values))
        added += 1
      }
    }
    if let (shard, _) = freed {
      throw PatchError.unsupported(
        model.shards[shard].path,
        "holds both \(GGUFModel.frequenciesName) and factor tensors; llama.cpp refuses such a file")
    }
    return added
  }

  private var frequencyTensor: (Int, GGUFTensor)? { find(GGUFModel.frequenciesName) }

  private func find(_ name: String) -> (shard: Int, GGUFTensor)? {
    for (index, shard) in model.shards.enumerated() {
      if let tensor = shard.header.tensor(named: name) { return (index, tensor) }
    }
    return nil
  }

  private func require(_ tensor: GGUFTensor, holds count: Int, _ shard: Int) throws {
    guard tensor.type == .f32, tensor.shape == [count] else {
      throw PatchError.unsupported(
        model.shards[shard].path,
        "tensor '\(tensor.name)' is \(tensor.type.name) \(tensor.shape), expected F32 [\(count)]")
    }
  }

  private static func encoded(_ values: [Float]) -> [UInt8] {
    var writer = ByteWriter()
    for value in values { writer.write(value) }
    return writer.bytes
  }

  private func raiseTensorCount(by added: Int, _ edits: inout [GGUFEdit]) throws {
    let key = "split.tensors.count"
    for (index, shard) in model.shards.enumerated() {
      guard let old = shard.header[key: key], let count = old.integer else { continue }
      let new: GGUFValue =
        switch old {
        case .int32: .int32(Int32(count + added))
        case .uint16: .uint16(UInt16(count + added))
        case .uint64: .uint64(UInt64(count + added))
        case .int64: .int64(Int64(count + added))
        default: .uint32(UInt32(count + added))
        }
      edits[index].setKeys.append((key, new))
    }
  }
}

extension GGUFEdit {
  /// What the edit means, for `--dry-run`.
  func changes(in header: GGUFHeader, file: String) -> [Plan.Change] {
    var result = setKeys.map { pair in
      Plan.Change(
        file: file, name: pair.name, old: header[key: pair.name]?.summary,
        new: pair.value.summary)
    }
    for name in removedKeys.sorted() {
      result.append(
        Plan.Change(file: file, name: name, old: header[key: name]?.summary, new: nil))
    }
    for (old, new) in renamedTensors.sorted(by: { $0.key < $1.key }) {
      result.append(Plan.Change(file: file, name: "tensor \(old)", old: "F32", new: nil))
      result.append(Plan.Change(file: file, name: "tensor \(new)", old: nil, new: "F32 (in its place)"))
    }
    for (name, bytes) in tensorData where header.tensor(named: name) != nil {
      let count = bytes.count / 4
      result.append(
        Plan.Change(
          file: file, name: "tensor \(name)", old: "F32 [\(count)]", new: "F32 [\(count)], new values"))
    }
    for (name, values) in addedTensors {
      result.append(
        Plan.Change(file: file, name: "tensor \(name)", old: nil, new: "F32 [\(values.count)]"))
    }
    return result
  }
}

extension GGUFValue {
  /// The value on one line; arrays by their type and length.
  package var summary: String {
    switch self {
    case .uint8(let value): "\(value)"
    case .int8(let value): "\(value)"
    case .uint16(let value): "\(value)"
    case .int16(let value): "\(value)"
    case .uint32(let value): "\(value)"
    case .int32(let value): "\(value)"
    case .uint64(let value): "\(value)"
    case .int64(let value): "\(value)"
    case .float32(let value): "\(value)"
    case .float64(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let value): "\"\(value.sanitized)\""
    case .array(let array): "[\(array.count) x \(array.elementType.name)]"
    }
  }
}
