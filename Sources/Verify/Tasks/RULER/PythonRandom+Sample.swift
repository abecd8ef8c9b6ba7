import Models
import Numerics

extension PythonRandom {
  /// Python's `sample(range(bound), count)`.
  /// - Throws: `ModelError` if `count` exceeds `bound`: the prompt is too short for its needles.
  mutating func requireSample(below bound: Int, _ count: Int) throws(ModelError) -> [Int] {
    guard let sample = sample(below: bound, count) else {
      throw .unsupported("ruler", "a sample of \(count) out of \(bound)")
    }
    return sample
  }
}
