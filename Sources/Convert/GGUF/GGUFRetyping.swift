import Formats
import Patch
import Verify

/// A GGUF model as another GGUF model: other types, more or fewer files.
struct GGUFRetyping {
  let source: SourceModel
  let model: GGUFModel
  let options: ConversionOptions

  func contents() throws -> GGUFContents {
    var tensors = try source.tensors.map { stored in
      PlannedTensor(stored.name, stored, as: try type(of: stored))
    }
    // What would restore the old bytes does not fit the new ones.
    var keys = model.first.header.keys.filter { $0.name != UndoRecord.key }
    let remarks =
      keys.count < model.first.header.keys.count
      ? ["the means to revert earlier patches stay with \(source.path)"] : []
    if options.type != .auto { set("general.file_type", .uint32(GGUFAssembly.fileType(tensors, options)), &keys) }
    if let name = options.name { set("general.name", .string(name), &keys) }
    if let factors = options.factors { try patch(factors, &keys, &tensors) }
    return GGUFContents(keys: keys, tensors: tensors, remarks: remarks)
  }

  private func type(of stored: StoredTensor) throws -> String {
    if options.type == .auto { return stored.typeName }
    // A vector, a norm or a router keeps its type: it is one that llama.cpp runs.
    let shape = stored.shape
    guard shape.count > 1, stored.name.hasSuffix(".weight"), !stored.name.hasSuffix("_norm.weight"),
      !stored.name.contains("ffn_gate_inp.")
    else { return stored.typeName }
    return try GGUFTypeChoice(options.type).type(of: stored.name, shape: shape, stored, source.path).rawValue
  }

  private func set(_ name: String, _ value: GGUFValue, _ keys: inout [GGUFKey]) {
    if let index = keys.firstIndex(where: { $0.name == name }) {
      keys[index].value = value
    } else {
      keys.append(GGUFKey(name, value))
    }
  }

  /// As `apply` would edit the file.
  private func patch(_ factors: FactorSource, _ keys: inout [GGUFKey], _ tensors: inout [PlannedTensor]) throws {
    var applyOptions = ApplyOptions()
    applyOptions.allowDivergent = options.allowDivergent
    applyOptions.targetWindow = options.targetWindow
    let apply = Apply(factors.set, factorsSHA256: factors.sha256, version: lrpatchVersion, options: applyOptions)
    let edit = try apply.contents(for: model)
    keys.removeAll { edit.removedKeys.contains($0.name) }
    for (name, value) in edit.setKeys { set(name, value, &keys) }
    tensors.removeAll { edit.removedTensors.contains($0.name) }
    for (name, values) in edit.tables {
      tensors.removeAll { $0.name == name }
      tensors.insert(PlannedTensor(name, floats: values), at: 0)
    }
  }
}
