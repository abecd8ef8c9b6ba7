import Patch
import Verify

/// One tensor of a GGUF file and what it is in a folder.
struct NamedTensor: Sendable {
  enum Turn: Sendable { case none, queries, keys }

  /// Several where the GGUF file stacks what a folder keeps apart.
  var folder: [String]
  var gguf: String
  var isRequired = false
  /// Whose heads have their rows in another order.
  var turn = Turn.none

  var isStack: Bool { folder.count > 1 }
}

extension ConvertibleFamily {
  /// Everything that a model of this family may have, in the order in which it is written.
  func tensors(layers: Int, experts: Int) -> [NamedTensor] {
    var names = [NamedTensor(folder: ["model.embed_tokens.weight"], gguf: "token_embd.weight", isRequired: true)]
    for layer in 0..<layers {
      for part in parts { names += tensors(layer, part, experts: experts) }
    }
    for suffix in ["weight", "bias"] {
      names.append(
        NamedTensor(folder: ["model.norm.\(suffix)"], gguf: "output_norm.\(suffix)", isRequired: suffix == "weight"))
    }
    for suffix in ["weight", "bias"] {
      names.append(NamedTensor(folder: ["lm_head.\(suffix)"], gguf: "output.\(suffix)"))
    }
    return names
  }

  private func tensors(_ layer: Int, _ part: TensorName.Part, experts: Int) -> [NamedTensor] {
    let single: ((Int) -> TensorName.Part)? =
      switch part {
      case .expertGates: TensorName.Part.expertGate
      case .expertUps: TensorName.Part.expertUp
      case .expertDowns: TensorName.Part.expertDown
      default: nil
      }
    let folder = single.map { single in (0..<experts).map { single($0).names.folder } } ?? [part.names.folder]
    return ["weight", "bias"].map { suffix in
      NamedTensor(
        folder: folder.map { "model.layers.\(layer).\($0).\(suffix)" },
        gguf: "blk.\(layer).\(part.names.gguf).\(suffix)",
        isRequired: suffix == "weight", turn: turn(of: part))
    }
  }

  private func turn(of part: TensorName.Part) -> NamedTensor.Turn {
    guard turnsNeighbours else { return .none }
    return switch part {
    case .query: .queries
    case .key: .keys
    default: .none
    }
  }
}

/// The tensors of one model by name, each to be taken once.
struct TensorPool {
  private var tensors: [String: StoredTensor]
  private let path: String

  init(_ source: SourceModel) {
    tensors = Dictionary(source.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    path = source.path
  }

  func has(_ name: String) -> Bool { tensors[name] != nil }

  mutating func take(_ name: String) -> StoredTensor? { tensors.removeValue(forKey: name) }

  /// - Throws: `PatchError` naming a required one that is missing, or all of several of which some are.
  mutating func take(_ names: [String], isRequired: Bool) throws(PatchError) -> [StoredTensor]? {
    let found = names.compactMap { tensors[$0] }
    guard found.count == names.count else {
      if found.isEmpty && !isRequired { return nil }
      let missing = names.first { tensors[$0] == nil } ?? ""
      throw .unsupported(path, "tensor '\(missing)' is missing")
    }
    for name in names { tensors[name] = nil }
    return found
  }

  /// - Throws: `PatchError` naming a tensor that nobody took: without it the model would be another one.
  func requireEmpty(except isExpected: (String) -> Bool, _ family: ConvertibleFamily) throws(PatchError) {
    let left = tensors.keys.filter { !isExpected($0) }.sorted()
    guard let first = left.first else { return }
    let others = left.count == 1 ? "" : ", and \(left.count - 1) more"
    throw .unsupported(path, "'\(family.modelType)' has no use for the tensor '\(first)'\(others)")
  }
}
