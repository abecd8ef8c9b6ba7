import Numerics

/// The square root of a symmetric positive matrix, by its eigenvectors.
struct SymmetricRoot {
  private let values: [Double]
  /// The eigenvectors, by number and component.
  private let vectors: [[Double]]

  init(_ matrix: [[Double]]) {
    let (values, vectors) = Eigenvectors.symmetric(matrix)
    // Rounding may make an eigenvalue of 0 negative.
    self.values = values.map { max($0, 1e-14).squareRoot() }
    self.vectors = vectors
  }

  func times(_ x: [Double]) -> [Double] { combine(values, x) }
  /// The inverse of the root, times x.
  func inverseTimes(_ x: [Double]) -> [Double] {
    let along = vectors.map { vector in zip(vector, x).reduce(0) { $0 + $1.0 * $1.1 } }
    return combine(values.map { 1 / $0 }, along)
  }

  /// The sum of the eigenvectors, each multiplied by its factor and its coordinate.
  private func combine(_ factors: [Double], _ coordinates: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: coordinates.count)
    for (index, vector) in vectors.enumerated() {
      let amount = factors[index] * coordinates[index]
      for place in result.indices { result[place] += amount * vector[place] }
    }
    return result
  }
}
