import Numerics

extension Transformer {
  /// The share of the threads' time that a pass over one sequence uses, from how its products and
  /// its attention are divided into tasks.
  ///
  /// Equal work is taken to need equal time on each thread, however many there are.
  package func efficiency(tokens: Int, threads: Int) -> Double {
    let parallel = Parallel(threads: threads)
    let rows = min(tokens, ForwardPass.blockRows)
    var (work, time) = (0, 0)
    for layer in layers {
      var lists = layer.products.map { product in
        let tokens = max(1, Int(Double(rows) * product.share))
        return ProductTasks(outputs: product.weight.rows, tokens: tokens, threads: threads)
          .works.map { $0 * product.weight.columns }
      }
      lists.append(attention(rows: rows, after: (tokens - rows) / 2))
      for list in lists {
        work += list.reduce(0, +)
        time += parallel.makespan(list)
      }
    }
    return Double(work) / Double(max(1, time * threads))
  }

  /// The multiplications of the tasks of attention, in the order in which they begin.
  private func attention(rows: Int, after start: Int) -> [Int] {
    let width = shape.headDimension + shape.valueDimension
    let blocks = stride(from: 0, to: rows, by: Attention.queryBlock).map { first in
      let end = min(rows, first + Attention.queryBlock)
      return (end - first) * (start + end) * width
    }
    return blocks.reversed().flatMap { Array(repeating: $0, count: shape.heads) }
  }

  /// The multiplications of a pass over one sequence, without the output matrix.
  package func multiplications(tokens: Int) -> Double {
    let attention =
      Double(tokens) / 2 * Double(shape.heads * (shape.headDimension + shape.valueDimension))
    return layers.reduce(0) { sum, layer in
      let perToken = layer.products.reduce(0) {
        $0 + Double($1.weight.rows) * Double($1.weight.columns) * $1.share
      }
      return sum + Double(tokens) * (perToken + attention)
    }
  }
}

extension Transformer.Layer {
  /// The matrices with which tokens are multiplied, and the share of the tokens.
  ///
  /// Every expert of a mixture is taken to have equally many.
  fileprivate var products: [(weight: Weight, share: Double)] {
    guard case .experts(let experts) = feedForward else { return weights.map { ($0, 1) } }
    let share = Double(experts.used) / Double(max(1, experts.experts.count))
    let chosen = experts.experts.flatMap { [$0.gate, $0.up, $0.down] }
    return attention.weights.map { ($0, 1) } + [(experts.router, 1)] + chosen.map { ($0, share) }
  }

  /// All matrices of the layer.
  var weights: [Weight] {
    switch feedForward {
    case .gated(let gate, let up, let down): attention.weights + [gate, up, down]
    case .gegelu(let up, let down, _): attention.weights + [up.weight, down.weight]
    case .experts(let experts):
      attention.weights + [experts.router]
        + experts.experts.flatMap { [$0.gate, $0.up, $0.down] }
    }
  }
}

extension SelfAttention {
  /// Its matrices.
  fileprivate var weights: [Weight] {
    let projections: [Weight] =
      switch inputs {
      case .separate(let query, let key, let value): [query.weight, key.weight, value.weight]
      case .grouped(let fused): [fused.weight]
      case .latent(let latent):
        [
          latent.queryDown.weight, latent.queryUp.weight, latent.keyValueDown.weight,
          latent.keyValueUp.weight,
        ]
      }
    return projections + [output.weight]
  }
}
