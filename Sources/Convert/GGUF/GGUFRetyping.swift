import Formats
import Models
import Patch

/// Plans a GGUF model from another one, with other types or another number of files.
struct GGUFRetyping {
  let source: ConversionSource
  let model: GGUFModel
  let options: ConversionOptions

  func contents() throws -> GGUFContents {
    var tensors = try source.tensors.all.map { stored in
      PlannedTensor(stored.name, stored, as: try type(of: stored))
    }
    // The undo record does not fit the new file.
    var keys = model.first.header.keys.filter { $0.name != UndoRecord.key }
    for key in model.mistypedKeys {
      let key = try key.retyped(subject: model.path)
      set(key.name, key.value, &keys)
    }
    let remarks =
      keys.count < model.first.header.keys.count
      ? ["the undo records of earlier patches stay with \(source.path)"] : []
    if options.type != .auto {
      set("general.file_type", .uint32(GGUFAssembly.fileType(tensors, options)), &keys)
    }
    if let name = options.name { set("general.name", .string(name), &keys) }
    if let factors = options.factors { try patch(factors, &keys, &tensors) }
    return GGUFContents(keys: keys, tensors: tensors, remarks: remarks)
  }

  private func type(of stored: ModelTensor) throws -> ElementType {
    if options.type == .auto { return stored.type }
    // Vectors, norms and routers keep their type, which llama.cpp already supports.
    let shape = stored.shape
    guard shape.count > 1, stored.name.hasSuffix(".weight"), !stored.name.hasSuffix("_norm.weight"),
      !stored.name.contains("ffn_gate_inp.")
    else { return stored.type }
    return try GGUFTypeChoice(options.type).type(of: stored.name, shape: shape, stored, source.path)
  }

  private func set(_ name: String, _ value: GGUFValue, _ keys: inout [GGUFKey]) {
    if let index = keys.firstIndex(where: { $0.name == name }) {
      keys[index].value = value
    } else {
      keys.append(GGUFKey(name, value))
    }
  }

  /// Applies factors as `apply` would.
  private func patch(
    _ factors: FactorSource, _ keys: inout [GGUFKey], _ tensors: inout [PlannedTensor]
  ) throws {
    var applyOptions = ApplyOptions()
    applyOptions.allowDivergent = options.allowDivergent
    applyOptions.targetWindow = options.targetWindow
    let apply = Apply(
      factors.set, factorsSHA256: factors.sha256, version: lrpatchVersion, options: applyOptions)
    let edit = try apply.contents(for: model)
    keys.removeAll { edit.removedKeys.contains($0.name) }
    for key in edit.setKeys { set(key.name, key.value, &keys) }
    tensors.removeAll { edit.removedTensors.contains($0.name) }
    for (name, values) in edit.tables {
      tensors.removeAll { $0.name == name }
      tensors.insert(PlannedTensor(name, floats: values), at: 0)
    }
  }
}
