import Glibc
import Inference
import Models
import Numerics
public import Patch
public import Verify

/// How the loss depends on each factor of a set: slopes, curvatures, and how far a factor may move.
public struct Sensitivity: Sendable {
  /// How the loss depends on one factor.
  public struct Pair: Equatable, Sendable {
    /// The factor.
    public var factor: Double
    /// The number of times that the pair turns within the length, with its factor.
    public var turns: Double
    /// The derivative of the mean loss by the logarithm of the factor, in nats.
    public var slope: Double
    /// The second derivative.
    public var curvature: Double
    /// By which share the factor may fall or rise until perplexity has risen by `tolerance`, if the
    /// loss is a parabola, or until the last position turns by a radian; nil for any share.
    public var room: (down: Double?, up: Double?)

    /// Whether two pairs have the same numbers.
    public static func == (a: Self, b: Self) -> Bool {
      (a.factor, a.turns, a.slope, a.curvature) == (b.factor, b.turns, b.slope, b.curvature)
        && a.room == b.room
    }
  }

  /// The rise of perplexity for which `Pair.room` is computed: 0.1 %.
  public static let tolerance = 0.001
  /// Factors that may move further than this in both directions do not matter.
  private static let wide = 0.1

  /// The mean loss, in nats per token.
  public let loss: Double
  /// The pairs, the fastest first.
  public let pairs: [Pair]
  /// The derivatives by the logarithm of each factor in each layer: (layers, pairs).
  public let layers: [[Double]]
  /// The derivative by the logarithm of the attention scale, in nats.
  public let mscaleSlope: Double
  /// The length of the documents or prompts, in tokens.
  public let length: Int
  /// The number of documents or prompts.
  public let units: Int
  /// What a user should know about the texts.
  public let remarks: [String]

  /// Differentiates the loss at the only set of the options.
  ///
  /// Slopes come from backward passes, curvatures from the losses at both sides of each factor.
  /// - Throws: as `Comparison.init`.
  public init(
    _ options: ComparisonOptions, in session: borrowing ModelSession,
    environment: JobEnvironment = JobEnvironment()
  ) throws {
    let bench = try ComparisonBench(options, session, environment)
    let set = bench.sets[0]
    let jobs = options.threads
    let all = bench.evaluator.withThreads(jobs)
    let gradients = try (0..<bench.units.count).map { try all.gradient(set.policy, unit: $0) }
    let count = Double(gradients.count)
    func mean(_ value: (RopeGradient) -> Double) -> Double {
      gradients.reduce(0) { $0 + value($1) } / count
    }
    loss = mean(\.loss)
    mscaleSlope = mean(\.logMscale)
    layers = gradients[0].logFrequencies.indices.map { layer in
      set.factors.indices.map { pair in -mean { $0.logFrequencies[layer][pair] } }
    }
    let turns = RotaryFrequencies.inverse(
      theta: bench.geometry.theta, rotaryDimensions: bench.geometry.rotaryDimensions,
      factors: set.factors
    ).map { $0 * Double(options.length) / (2 * .pi) }
    // Steps that turn the last position by a quarter of a radian, or change the factor by 5 %.
    let steps = turns.map { min(0.05, 0.25 / (2 * .pi * $0)) }
    let moved = set.factors.indices.flatMap { pair in
      [-1.0, 1.0].map { sign in
        var factors = set.factors
        factors[pair] *= exp(sign * steps[pair])
        return bench.policy(factors, set)
      }
    }
    let around = try Comparison([set.policy] + moved, bench.evaluator, jobs: jobs)
    let (middle, slopes) = (around.estimate(0).mean, gradients.map(\.logFactors))
    pairs = set.factors.indices.map { pair in
      let sides = [1, 2].map { around.estimate(2 * pair + $0).mean }
      let curvature = (sides[0] + sides[1] - 2 * middle) / (steps[pair] * steps[pair])
      let slope = slopes.reduce(0) { $0 + $1[pair] } / count
      return Pair(
        factor: set.factors[pair], turns: turns[pair], slope: slope, curvature: curvature,
        room: Self.room(slope, curvature, turns: turns[pair]))
    }
    length = options.length
    units = bench.units.count
    remarks = bench.remarks
  }

  /// The shares by which a factor may fall and rise until the loss has risen by log(1.001).
  ///
  /// The parabola is believed until the last position has turned by a radian. One that opens
  /// downwards, where the loss oscillates, is replaced by its tangent.
  static func room(
    _ slope: Double, _ curvature: Double, turns: Double
  ) -> (down: Double?, up: Double?) {
    let rise = log(1 + tolerance)
    let believed = 1 / (2 * .pi * turns)
    /// The least d > 0 with slope d + curvature d^2 / 2 = rise.
    func reach(_ slope: Double) -> Double? {
      let bend = max(0, curvature)
      let place: Double? =
        bend < 1e-9
        ? (slope > 0 ? rise / slope : nil)
        : (-slope + (slope * slope + 2 * bend * rise).squareRoot()) / bend
      guard let place else { return believed < wide ? believed : nil }
      return min(place, believed)
    }
    return (reach(-slope).map { 1 - exp(-$0) }, reach(slope).map { exp($0) - 1 })
  }

  /// The slowest pair whose factor cannot move by a tenth in both directions: the critical pair that
  /// the loss sees; nil if there is none.
  public var slowestThatMatters: Int? {
    pairs.lastIndex { pair in
      [pair.room.down, pair.room.up].contains { $0.map { $0 < Self.wide } ?? false }
    }
  }
}
