import Formats
import Models
import Numerics

/// Looks up the weights of a model by role.
///
/// Every tensor must be read, because a model with an unread tensor would be computed wrongly.
final class WeightReader {
  let model: ModelFile
  private let tensors: [String: ModelTensor]
  /// The tensors that have been read.
  private var used: Set<String> = []

  init(_ model: ModelFile) throws {
    self.model = model
    tensors = Dictionary(
      try ModelTensors(model).all.map { ($0.plainName, $0) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The number of tensors, which is an upper limit for the numbers of layers and experts.
  var tensorCount: Int { tensors.count }

  func has(_ role: TensorRole, _ suffix: Architecture.Suffix = .weight) -> Bool {
    tensors[model.tensorName(role, suffix)] != nil
  }

  /// A matrix with the given shape.
  /// - Throws: `ModelError` if it is missing, has another shape, or has a type that cannot be
  ///   unpacked.
  func matrix(_ role: TensorRole, rows: Int, columns: Int) throws -> Weight {
    try weight(model.tensorName(role), shape: [rows, columns])
  }

  /// A matrix with any number of rows.
  func matrix(_ role: TensorRole, columns: Int) throws -> Weight {
    let name = model.tensorName(role)
    guard let tensor = tensors[name], tensor.shape.count == 2 else {
      throw ModelError.unsupported(model.path, "the matrix '\(name)' is missing")
    }
    return try weight(name, shape: [tensor.shape[0], columns])
  }

  /// The matrices of a tensor with the shape (count, rows, columns).
  func stack(_ role: TensorRole, _ count: Int, rows: Int, columns: Int) throws -> [Weight] {
    let whole = try weight(model.tensorName(role), shape: [count, rows, columns])
    return (0..<count).map { whole.part($0 * rows..<($0 + 1) * rows) }
  }

  /// A vector with the given length, unpacked.
  func vector(
    _ role: TensorRole, _ suffix: Architecture.Suffix = .weight, count: Int
  ) throws -> [Float] {
    let weight = try weight(model.tensorName(role, suffix), shape: [count])
    if let place = weight.firstNonFinite { throw ModelError.unsupported(model.path, place) }
    return weight.values
  }

  /// A norm or a bias of a GGUF file, which llama.cpp computes in F32 only.
  private func requireSinglePrecision(_ tensor: ModelTensor) throws {
    guard model.format == .gguf, tensor.shape.count == 1, tensor.type != .f32 else { return }
    throw ModelError.unsupported(
      model.path, "tensor '\(tensor.name)' is \(tensor.type), expected F32 as llama.cpp requires")
  }

  /// The bias of a projection or a norm, or nil if the model has none.
  ///
  /// A bias that the architecture or the config rules out is not read, and thus refused later.
  /// - Throws: `ModelError` if llama.cpp requires the bias and the file lacks it.
  func bias(_ role: TensorRole, count: Int) throws -> [Float]? {
    guard has(role, .bias) else {
      if model.mustHaveBias(role) {
        throw ModelError.unsupported(
          model.path,
          "tensor '\(model.tensorName(role, .bias))' is missing, but the config turns on biases")
      }
      guard model.format == .gguf, model.architecture.ggufRequiresBias(role) else { return nil }
      throw ModelError.unsupported(
        model.path,
        "tensor '\(model.tensorName(role, .bias))' is missing, which llama.cpp requires")
    }
    return model.mayHaveBias(role) ? try vector(role, .bias, count: count) : nil
  }

  private func weight(_ name: String, shape: [Int]) throws -> Weight {
    guard let tensor = tensors[name] else {
      throw ModelError.unsupported(model.path, "tensor '\(name)' is missing")
    }
    guard tensor.shape == shape else {
      throw ModelError.unsupported(
        model.path, "tensor '\(tensor.name)' has the shape \(tensor.shape), expected \(shape)")
    }
    if let scaled = tensor.scaled {
      used.insert(name)
      return Weight(file: tensor.file, name: name, scaled: scaled)
    }
    try requireSinglePrecision(tensor)
    guard let block = tensor.type.block, tensor.type.canUnpack else {
      throw ModelError.unsupported(
        model.path, "tensor '\(name)' has the type \(tensor.type), which cannot be run")
    }
    let columns = shape.last ?? 1
    guard columns % block.elements == 0 else {
      throw ModelError.unsupported(
        model.path,
        "tensor '\(name)' has rows of \(columns) elements, expected a multiple of the block size of \(tensor.type)"
      )
    }
    used.insert(name)
    return Weight(
      file: tensor.file, name: name, type: tensor.type, rows: shape.dropLast().reduce(1, *),
      columns: columns, offset: tensor.offset)
  }

  /// Marks a tensor as read although it is not needed.
  func ignore(_ role: TensorRole) { used.insert(model.tensorName(role)) }

  /// Refuses a model with tensors that were not read.
  /// - Throws: `ModelError` that names one of them.
  func refuseUnusedTensors() throws {
    let unused = tensors.keys.filter { name in
      !used.contains(name) && !model.architecture.isDispensable(name, in: model.format)
    }
    guard let first = unused.min() else { return }
    let others = unused.count == 1 ? "" : " (and \(unused.count - 1) more)"
    throw ModelError.unsupported(
      model.path,
      "tensor '\(first)'\(others) does not belong to the architecture '\(model.architecture.name)'")
  }
}
