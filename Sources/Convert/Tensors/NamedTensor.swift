import Models

/// The names of one tensor in a GGUF file and in a folder.
struct NamedTensor: Sendable {
  /// Projections whose rows must be permuted.
  enum Permutation: Sendable { case none, queries, keys }

  /// The names in a folder.
  ///
  /// There are several if the GGUF file stacks the tensors of all experts.
  var folder: [String]
  var gguf: String
  var isRequired = false
  /// Whether a GGUF file gets the tensor even if the folder lacks it.
  var isAlwaysWritten = false
  var permutation = Permutation.none
  /// Whether a folder has a place for the tensor.
  var hasFolderPlace = true
  /// Whether it is a bias that a config turns on together with others.
  var isSwitchedBias = false
  /// Which half of the rows of the folder's tensor this is, 0 or 1; nil for all rows.
  var half: Int?

  var isStack: Bool { folder.count > 1 }
}

extension Architecture {
  /// All tensors that a model of this architecture may have, in the order in which they are
  /// written.
  func namedTensors(layers: Int, experts: Int) -> [NamedTensor] {
    var names = namedTensors(.embedding, suffixes: [.weight])
    for layer in 0..<layers {
      for part in decoder?.layerRoles ?? [] { names += namedTensors(layer, part, experts: experts) }
    }
    names += namedTensors(.finalNorm, suffixes: suffixes(.finalNorm))
    // The output matrix is optional: a model without one uses its embeddings.
    return names
      + namedTensors(.output, suffixes: suffixes(.output)).map { named in
        var named = named
        named.isRequired = false
        return named
      }
  }

  private func namedTensors(_ role: TensorRole, suffixes: [Suffix]) -> [NamedTensor] {
    suffixes.map { suffix in
      NamedTensor(
        folder: [tensorName(role, suffix, in: .folder)], gguf: tensorName(role, suffix, in: .gguf),
        isRequired: suffix == .weight,
        isAlwaysWritten: suffix == .bias && ggufWritesBias(role),
        hasFolderPlace: suffix == .weight || folderTakesBias(role))
    }
  }

  /// Whether a GGUF model has a bias of those that a config turns on together.
  func hasSwitchedBias(_ pool: TensorPool, layers: Int) -> Bool {
    switchedBiases.contains { part in
      (0..<layers).contains { pool.has(tensorName(.layer($0, part), .bias, in: .gguf)) }
    }
  }

  /// The tensors of a role for which a GGUF file has a place.
  private func suffixes(_ role: TensorRole) -> [Suffix] {
    ggufTakesBias(role) ? [.weight, .bias] : [.weight]
  }

  private func namedTensors(_ layer: Int, _ part: LayerRole, experts: Int) -> [NamedTensor] {
    if part == .fusedGateUp, decoder?.splitsGateUpInGGUF == true {
      let folder = [tensorName(.layer(layer, part), in: .folder)]
      return [LayerRole.gate, .up].enumerated().map { half, role in
        NamedTensor(
          folder: folder, gguf: tensorName(.layer(layer, role), in: .gguf), isRequired: true,
          half: half)
      }
    }
    return suffixes(.layer(layer, part)).map { suffix in
      let folder = (part.experts(experts) ?? [part]).map {
        tensorName(.layer(layer, $0), suffix, in: .folder)
      }
      return NamedTensor(
        folder: folder, gguf: tensorName(.layer(layer, part), suffix, in: .gguf),
        isRequired: suffix == .weight,
        isAlwaysWritten: suffix == .bias && ggufWritesBias(.layer(layer, part)),
        permutation: permutation(of: part),
        hasFolderPlace: suffix == .weight || folderTakesBias(.layer(layer, part)),
        isSwitchedBias: suffix == .bias && switchedBiases.contains(part))
    }
  }

  private func permutation(of part: LayerRole) -> NamedTensor.Permutation {
    guard gguf?.isInterleaved == true else { return .none }
    return switch part {
    case .query: .queries
    case .key: .keys
    default: .none
    }
  }
}

/// The tensors of a model by name.
///
/// Each tensor can be taken once.
struct TensorPool {
  private var tensors: [String: ModelTensor]
  private let model: ModelFile

  init(_ tensors: ModelTensors, of model: ModelFile) {
    self.tensors = Dictionary(
      tensors.all.map { ($0.plainName, $0) }, uniquingKeysWith: { first, _ in first })
    self.model = model
  }

  func has(_ name: String) -> Bool { tensors[name] != nil }

  mutating func take(_ name: String) -> ModelTensor? { tensors.removeValue(forKey: name) }

  /// Takes all tensors with these names, or returns nil if none exists and they are not required.
  /// - Throws: `ModelError` if a required tensor is missing, or if only some of the tensors exist.
  mutating func take(_ names: [String], isRequired: Bool) throws(ModelError) -> [ModelTensor]? {
    let found = names.compactMap { tensors[$0] }
    guard found.count == names.count else {
      if found.isEmpty && !isRequired { return nil }
      let missing = names.first { tensors[$0] == nil } ?? ""
      throw .unsupported(model.path, "tensor '\(missing)' is missing")
    }
    for name in names { tensors[name] = nil }
    return found
  }

  /// A half of the rows of a tensor, which is taken with the second half.
  /// - Throws: `ModelError` if the tensor is missing, or has an odd number of rows.
  mutating func take(half: Int, of name: String) throws(ModelError) -> ModelTensor {
    guard let whole = tensors[name] else {
      throw .unsupported(model.path, "tensor '\(name)' is missing")
    }
    guard whole.shape.count == 2, whole.shape[0] % 2 == 0 else {
      throw .unsupported(
        model.path,
        "tensor '\(whole.name)' has the shape \(whole.shape), expected an even number of rows")
    }
    if half == 1 { tensors[name] = nil }
    return whole.rows(half, of: 2)
  }

  /// Refuses a model with tensors that were not taken, because the output would differ without
  /// them.
  /// - Parameter reason: what is wrong with such a tensor; nil if the architecture lacks it.
  /// - Throws: `ModelError` that names one of them.
  func requireEmpty(_ reason: String? = nil) throws(ModelError) {
    let architecture = model.architecture
    let left = tensors.keys.filter { !architecture.isDispensable($0, in: model.format) }.sorted()
    guard let first = left.first else { return }
    let others = left.count == 1 ? "" : " (and \(left.count - 1) more)"
    throw .unsupported(
      model.path,
      "tensor '\(first)'\(others) \(reason ?? "does not belong to the architecture '\(architecture.name)'")"
    )
  }
}
