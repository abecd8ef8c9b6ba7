import Models

extension Transformer {
  /// How a runtime departs from the model.
  ///
  /// Runtimes with equal variants compute the same numbers.
  package struct Variant: Equatable, Sendable {
    fileprivate var deviations: [DecoderLayer.Deviation]
    /// The epsilon of the model's norms.
    fileprivate var epsilon: Float
  }

  /// The variant of a runtime, or nil if it runs the model as it is.
  package func variant(of runtime: String) -> Variant? { variants[runtime] }

  /// This model as the runtimes with a variant compute it.
  package func applying(_ variant: Variant?) -> Transformer {
    guard let variant else { return self }
    var model = self
    for deviation in variant.deviations { model.apply(deviation, epsilon: variant.epsilon) }
    return model
  }

  /// - Parameter isTied: whether the embeddings are the output matrix.
  mutating func setVariants(
    _ deviations: [Runtime: [DecoderLayer.Deviation]], epsilon: Float, isTied: Bool
  ) {
    variants = [:]
    for (runtime, deviations) in deviations {
      let effective = deviations.filter { hasEffect($0, isTied: isTied) }
      guard !effective.isEmpty else { continue }
      variants[runtime.rawValue] = Variant(deviations: effective, epsilon: epsilon)
    }
  }

  /// Whether a deviation can change what this model computes.
  private func hasEffect(_ deviation: DecoderLayer.Deviation, isTied: Bool) -> Bool {
    switch deviation {
    case .noWindow:
      layers.contains { if case .window = $0.attention.pattern { true } else { false } }
    case .unscaledTiedLogits: isTied && logitScale != 1
    default: true
    }
  }

  private mutating func apply(_ deviation: DecoderLayer.Deviation, epsilon: Float) {
    switch deviation {
    case .rmsNorms:
      finalNorm.kind = .rms
      for index in layers.indices {
        layers[index].attentionNorm?.kind = .rms
        layers[index].feedForwardNorm?.kind = .rms
      }
    case .softmaxRouting:
      for index in layers.indices {
        guard case .experts(var experts) = layers[index].feedForward else { continue }
        experts.routing = .softmax
        layers[index].feedForward = .experts(experts)
      }
    case .latentEpsilon(let other):
      for index in layers.indices {
        guard case .latent(var latent) = layers[index].attention.inputs else { continue }
        latent.queryNorm.epsilon = other ?? epsilon
        latent.keyValueNorm.epsilon = other ?? epsilon
        layers[index].attention.inputs = .latent(latent)
      }
    case .publishedMultipliers: setPublishedScaling()
    case .unscaledTiedLogits: logitScale = 1
    case .tiedOutput: output.weight = embedding
    case .noWindow:
      for index in layers.indices {
        if case .window = layers[index].attention.pattern {
          layers[index].attention.pattern = .all
        }
      }
    }
  }
}
