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
    keyValueHeads = try given.optionalCount(.keyValueHeads) ?? heads
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
    guard heads % keyValueHeads == 0, headDimension > 0, headDimension % 2 == 0 else {
      throw ModelError.unsupported(
        model.path,
        "\(heads) heads, \(keyValueHeads) key heads and head dimension \(headDimension) are inconsistent"
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
