import Formats
import Models

/// The sizes of a decoder, read from its hyperparameters.
struct Sizes {
  let layers: Int
  let hidden: Int
  let feedForward: Int
  let heads: Int
  let keyValueHeads: Int
  let headDimension: Int
  let valueDimension: Int
  /// The first rotated dimension in a head.
  let rotaryOffset: Int
  let epsilon: Float

  /// - Throws: `ModelError` for sizes that are missing, implausible or inconsistent.
  init(_ model: ModelFile, tensorCount: Int) throws {
    let given = model.hyperparameters
    layers = try given.count(.layers)
    guard layers <= tensorCount else {
      throw ModelError.unsupported(
        model.path, "declares \(layers) layers, but has only \(tensorCount) tensors")
    }
    hidden = try given.count(.hidden)
    feedForward = try given.count(.feedForward)
    heads = try given.count(.heads)
    keyValueHeads = try Self.keyValueHeads(model, heads)
    let epsilon = try given.number(.epsilon)
    guard epsilon > 0 else {
      throw ModelError.unsupported(
        model.path, "the epsilon of the norms is \(epsilon), expected a positive number")
    }
    self.epsilon = Float(epsilon)
    switch model.architecture.rope.dimensions {
    case .head:
      headDimension = try given.optionalCount(.headDimension) ?? hidden / heads
      valueDimension = headDimension
      rotaryOffset = 0
    case .latent:
      (headDimension, valueDimension, rotaryOffset) = try Self.latentHead(model, hidden / heads)
    }
    try Self.checkHead(model, headDimension, hidden / heads)
    guard heads % keyValueHeads == 0, headDimension > 0, headDimension % 2 == 0 else {
      throw ModelError.unsupported(
        model.path,
        "\(heads) heads, \(keyValueHeads) key heads and head dimension \(headDimension) are inconsistent"
      )
    }
  }

  private static func keyValueHeads(_ model: ModelFile, _ heads: Int) throws -> Int {
    let given = model.hyperparameters
    let count = try given.optionalCount(.keyValueHeads)
    guard count != nil || !given.gives(.keyValueHeads) else {
      throw ModelError.unsupported(model.path, "there are 0 key heads, expected at least 1")
    }
    if model.architecture.rope.dimensions == .latent, let count, count != heads {
      throw ModelError.unsupported(
        model.path, "latent attention has \(heads) heads and \(count) key heads, expected as many")
    }
    return count ?? heads
  }

  /// Refuses a GGUF file with heads that llama.cpp's loader or graph refuses.
  private static func checkHead(_ model: ModelFile, _ head: Int, _ share: Int) throws {
    guard case .gguf(let file) = model, let gguf = model.architecture.gguf,
      model.architecture.rope.dimensions == .head
    else { return }
    let value = try file.hyperparameters.optionalCount(.valueDimension) ?? share
    let rotated = file.geometry.rotaryDimensions
    guard value == head, rotated == head || model.architecture.rope.isPartial else {
      throw ModelError.unsupported(
        model.path,
        "a head has \(head) dimensions, \(value) in its values and \(rotated) rotated ones; llama.cpp requires the same number for \(gguf.name)"
      )
    }
    guard !gguf.fixesHeadSize || head == share else {
      throw ModelError.unsupported(
        model.path,
        "a head has \(head) dimensions; for \(gguf.name) llama.cpp requires the width of the hidden state divided by the heads, \(share)"
      )
    }
  }

  /// The sizes of a head in latent attention, which rotates only the last part.
  private static func latentHead(
    _ model: ModelFile, _ defaultValue: Int
  ) throws -> (head: Int, value: Int, rotaryOffset: Int) {
    let rotated = model.geometry.rotaryDimensions
    let unrotated =
      switch model.format {
      case .folder: try model.hyperparameters.count(.unrotatedDimension)
      case .gguf: try model.hyperparameters.count(.headDimension) - rotated
      }
    let value = try model.hyperparameters.optionalCount(.valueDimension) ?? defaultValue
    guard unrotated > 0, value > 0 else {
      throw ModelError.unsupported(
        model.path,
        "a head has \(unrotated) unrotated and \(value) value dimensions, expected positive numbers"
      )
    }
    return (unrotated + rotated, value, unrotated)
  }

  var queryWidth: Int { heads * headDimension }
  var keyWidth: Int { keyValueHeads * headDimension }
}
