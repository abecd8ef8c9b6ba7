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
    let longest = max(1, lengths.max() ?? 1)
    let few = min(Self.fewProbeTokens, longest)
    let many = min(Self.manyProbeTokens, longest)
    // The first pass reads the weights from the disk. Other programs may slow each pass down.
    _ = try running(probe).time(few, schedule)
    func least(_ tokens: Int) throws -> Double {
      try (0..<Self.probes).map { _ in try running(probe).time(tokens, schedule) }.min() ?? 0
    }
    let (short, long) = (try least(few), try least(many))
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

  private static let probes = 3
  private static let fewProbeTokens = 256
  private static let manyProbeTokens = 2048
}
