import Formats
import Models

/// Plans the keys and tensors that write factors into a GGUF model, as llama.cpp reads them
/// (specs/runtimes.md).
struct GGUFFactorEdits {
  let model: GGUFModel
  let gguf: Architecture.GGUF
  let factors: ModelFactors
  let options: ApplyOptions
  let mark: PatchMark

  /// One edit per shard, without the undo record.
  ///
  /// The edit of an unchanged shard is empty.
  func edits() throws -> [GGUFEdit] {
    var edits = model.shards.map { _ in GGUFEdit() }
    let set = Set((wanted.keys + widened).map(\.name))
    let stale = GGUFLongRoPE.staleKeys(in: model)
    let retyped = try model.mistypedKeys.filter {
      !set.contains($0.key.name) && !stale.contains($0.key.name)
    }.map { try $0.retyped(subject: model.path) }
    edits[0].setKeys = changedKeys(wanted.keys + widened + retyped, in: model.first.header)
    edits[0].removedKeys = stale.intersection(
      model.first.header.keys.map(\.name))
    let added = try placeTensors(&edits)
    if model.isSplit, added != 0 { try raiseTensorCount(by: added, &edits) }
    if edits.contains(where: { !$0.isEmpty }) {
      edits[0].setKeys += changedKeys(mark.keys, in: model.first.header)
    }
    return edits
  }

  private var wanted: GGUFLongRoPE {
    GGUFLongRoPE(factors, gguf)
  }

  /// A sliding window that is as long as the new window, instead of a shorter one.
  private var widened: [GGUFKey] {
    guard !options.keepSlidingWindow,
      let key = model.slidingWindow(below: factors.window)?.key
    else { return [] }
    return [GGUFKey(key, .uint32(UInt32(factors.window)))]
  }

  /// The keys that are absent from the header or have another value there.
  private func changedKeys(
    _ keys: [GGUFKey], in header: GGUFHeader
  ) -> [(name: String, value: GGUFValue)] {
    keys.map { ($0.name, $0.value) }.filter { (pair: (name: String, value: GGUFValue)) in
      guard let old = header[key: pair.name] else { return true }
      return old != pair.value
    }
  }

  // MARK: Tensors

  /// Adds the tensors to the edits.
  /// - Returns: the number of new tensors.
  private func placeTensors(_ edits: inout [GGUFEdit]) throws -> Int {
    var added = 0
    var freed = frequencyTensor
    for (name, values) in wanted.tables {
      if let (shard, tensor) = find(name) {
        try require(tensor, holds: values.count, shard)
        let old = name == GGUFModel.longName ? model.longFactors : model.shortFactors
        if old != values { edits[shard].tensorData.append((name, Self.encoded(values))) }
      } else if let (shard, tensor) = freed {
        // `rope_freqs.weight` has the type and size of the factors, so they can replace it.
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
      throw ModelError.unsupported(
        model.shards[shard].path,
        "contains both \(GGUFModel.frequenciesName) and factor tensors, which llama.cpp refuses")
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
      throw ModelError.unsupported(
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
  /// The changes in words, for `--dry-run`.
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
      result.append(
        Plan.Change(file: file, name: "tensor \(new)", old: nil, new: "F32 (in its place)"))
    }
    for (name, bytes) in tensorData where header.tensor(named: name) != nil {
      let count = bytes.count / 4
      result.append(
        Plan.Change(
          file: file, name: "tensor \(name)", old: "F32 [\(count)]",
          new: "F32 [\(count)], new values"))
    }
    for (name, values) in addedTensors {
      result.append(
        Plan.Change(file: file, name: "tensor \(name)", old: nil, new: "F32 [\(values.count)]"))
    }
    return result
  }
}

extension GGUFValue {
  /// The value on one line.
  ///
  /// An array is shown by its length and type.
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
