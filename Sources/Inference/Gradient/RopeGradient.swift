/// The mean loss of a sequence, and its derivatives by the rotation of each pair in each layer.
public struct RopeGradient: Sendable {
  /// The mean loss of the scored tokens, in nats.
  public internal(set) var loss: Double
  /// The derivatives by the logarithm of each inverse frequency: (layers, pairs).
  ///
  /// A factor divides the frequency, so that the derivative by its logarithm is the opposite.
  /// Positions before `startTokens`, which no factor rotates, do not count.
  public internal(set) var logFrequencies: [[Double]]
  /// The derivatives by the logarithm of each pair's attention scale: (layers, pairs).
  public internal(set) var logMscales: [[Double]]

  init(layers: Int, pairs: Int) {
    loss = 0
    logFrequencies = Array(repeating: Array(repeating: 0, count: pairs), count: layers)
    logMscales = logFrequencies
  }

  /// The derivatives by the logarithm of each factor, of one list for all layers: (pairs).
  public var logFactors: [Double] { Self.sums(logFrequencies).map { -$0 } }

  /// The derivative by the logarithm of one attention scale for all pairs and layers.
  public var logMscale: Double { Self.sums(logMscales).reduce(0, +) }

  private static func sums(_ layers: [[Double]]) -> [Double] {
    layers.dropFirst().reduce(layers[0]) { sums, layer in zip(sums, layer).map { $0 + $1 } }
  }
}
