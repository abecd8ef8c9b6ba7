import Glibc
import Numerics
import Verify

/// A Gaussian process that predicts the fitness, to choose which of many samples to evaluate.
struct Surrogate {
  private let points: [[Double]]
  private let weights: [Double]
  private let mean: Double
  private let scale: Double

  /// Share of the fitness variance attributed to noise.
  private static let nugget = 1e-5

  /// - Parameters:
  ///   - points: (point, dimension), in units of the search's standard deviation.
  ///   - values: their fitness.
  /// - Returns: nil if there are too few points, or if all values are equal.
  init?(_ points: [[Double]], _ values: [Double]) {
    guard let dimensions = points.first?.count, points.count > dimensions else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    guard variance > 0 else { return nil }
    let centred = values.map { ($0 - mean) / variance.squareRoot() }
    let squares = points.map { a in points.map { Self.distance(a, $0) } }
    // Choose the width with the highest evidence.
    var best: (evidence: Double, weights: [Double], scale: Double)?
    for factor in [0.5, 1, 2, 4, 8] {
      let scale = factor * Double(dimensions)
      var kernel = squares.map { row in row.map { exp(-$0 / (2 * scale)) } }
      for index in kernel.indices { kernel[index][index] += Self.nugget }
      guard let (weights, logDeterminant) = Cholesky.solve(kernel, centred) else { continue }
      let evidence =
        -0.5 * zip(weights, centred).reduce(0) { $0 + $1.0 * $1.1 } - 0.5 * logDeterminant
      if best.map({ evidence > $0.evidence }) ?? true { best = (evidence, weights, scale) }
    }
    guard let best else { return nil }
    self.points = points
    self.mean = mean
    weights = best.weights.map { $0 * variance.squareRoot() }
    scale = best.scale
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }

  func prediction(_ point: [Double]) -> Double {
    zip(points, weights).reduce(mean) { $0 + $1.1 * exp(-Self.distance($1.0, point) / (2 * scale)) }
  }
}
