import Numerics

extension ForwardPass {
  /// The time that passes over sequences of some lengths take, estimated from one layer over a few
  /// and over more tokens.
  ///
  /// The time of a layer is a multiple of the tokens and one of their square, for attention.
  /// - Parameter lengths: the tokens of each sequence.
  package func estimatedTime(lengths: [Int], _ schedule: RopeSchedule) throws -> Duration {
    var probe = model
    probe.layers = [model.layers[0]]
    let longest = lengths.max() ?? 1
    let few = min(Self.fewProbeTokens, longest)
    let many = min(Self.manyProbeTokens, longest)
    // The first pass reads the weights from the disk.
    _ = try running(probe).time(few, schedule)
    let short = try (0..<3).map { _ in try running(probe).time(few, schedule) }.min() ?? 0
    let long = try running(probe).time(many, schedule)
    let (slow, fast) = (long / Double(many), short / Double(few))
    let square = many > few ? max(0, slow - fast) / Double(many - few) : 0
    let linear = slow - square * Double(many)
    return lengths.filter { $0 > 0 }.reduce(Duration.zero) { sum, length in
      let layers = model.multiplications(tokens: length) / probe.multiplications(tokens: length)
      return sum + .seconds(Double(length) * (linear + square * Double(length)) * layers)
    }
  }

  /// The seconds that a pass over some tokens takes.
  private func time(_ tokens: Int, _ schedule: RopeSchedule) throws -> Double {
    let batch = Batch(Array(repeating: 0, count: tokens), schedule)
    let time = try ContinuousClock().measure { _ = try states(batch, wanted: Array(0..<tokens)) }
    return time / .seconds(1)
  }

  private static let fewProbeTokens = 256
  private static let manyProbeTokens = 2048
}

extension Transformer {
  /// The multiplications of a pass over one sequence, without the output matrix.
  package func multiplications(tokens: Int) -> Double {
    let attention =
      Double(tokens) / 2 * Double(shape.heads * (shape.headDimension + shape.valueDimension))
    return layers.reduce(0) { $0 + Double(tokens) * ($1.multiplicationsPerToken + attention) }
  }
}

extension Transformer.Layer {
  /// The multiplications by matrices; of a mixture of experts, by those that a token uses.
  fileprivate var multiplicationsPerToken: Double {
    let all = weights.reduce(0) { $0 + Double($1.rows) * Double($1.columns) }
    guard case .experts(let experts) = feedForward, let one = experts.experts.first else {
      return all
    }
    let unused = experts.experts.count - experts.used
    return all - Double(unused) * 3 * Double(one.gate.rows) * Double(one.gate.columns)
  }

  /// All matrices of the layer.
  var weights: [Weight] {
    let inputs: [Weight] =
      switch attention.inputs {
      case .separate(let query, let key, let value): [query.weight, key.weight, value.weight]
      case .grouped(let fused): [fused.weight]
      case .latent(let latent):
        [
          latent.queryDown.weight, latent.queryUp.weight, latent.keyValueDown.weight,
          latent.keyValueUp.weight,
        ]
      }
    let outputs: [Weight] =
      switch feedForward {
      case .gated(let gate, let up, let down): [gate, up, down]
      case .gegelu(let up, let down, _): [up.weight, down.weight]
      case .experts(let experts):
        [experts.router] + experts.experts.flatMap { [$0.gate, $0.up, $0.down] }
      }
    return inputs + [attention.output.weight] + outputs
  }
}
