import Glibc
import Models
import Patch

/// A quasi-Newton method (BFGS) with a trust region, over the logarithms of the factors.
///
/// A coordinate is the rise of the logarithm from one pair to the next, so that non-decreasing lists
/// are those without negative coordinates. The loss oscillates in the fast pairs: a change
/// of the logarithm by d turns the last position by d f L radians more or less, and a few radians lead
/// to another local minimum. So rises are measured by these angles where they exceed the logarithms
/// themselves, and the region begins at a fraction of a radian.
struct Descent: Codable, Sendable {
  private let space: SearchSpace
  /// The rise of each logarithm by its coordinate; the last one is that of a searched mscale.
  private let scales: [Double]
  /// The best point so far, its value and its slopes; nil before the first answer.
  private var point: Point?
  /// The point that is asked for.
  private var next: [Double]
  private var inverseHessian: [[Double]]
  private var radius = Descent.firstRadius
  private var decreases: [Double] = []
  private(set) var steps = 0

  private struct Point: Codable {
    var x: [Double]
    var value: Double
    var slopes: [Double]
  }

  /// The change of the last position's angle, in radians, that counts as much as a change of a
  /// slow pair's logarithm by 1.
  private static let turn = 2.0
  /// The same for a searched mscale, whose effect is stronger.
  private static let mscaleScale = 0.1
  private static let firstRadius = 0.3
  private static let greatestRadius = 8.0
  private static let leastRadius = 0.003
  /// A descent whose last steps have gained less, in nats, is done.
  private static let leastDecrease = 1e-4
  private static let memory = 4

  /// - Parameter start: where it begins; a list outside the space is moved into it.
  init(_ space: SearchSpace, from start: Candidate) {
    self.space = space
    let frequencies = RotaryFrequencies.inverse(
      theta: space.settings.theta, rotaryDimensions: space.settings.rotaryDimensions,
      factors: space.base)
    scales =
      frequencies.map { min(1, Self.turn / ($0 * Double(space.window))) }
      + (space.searchesMscale ? [Self.mscaleScale] : [])
    inverseHessian = Self.identity(scales.count)
    next = []
    next = fitted(
      coordinates(
        start.factors.map { log(max($0, space.lower)) }, mscale: log(start.mscale ?? space.mscale)))
  }

  // MARK: Dialogue

  /// The candidate whose loss and derivatives are wanted next.
  var candidate: Candidate {
    var candidate = Candidate(logarithms(next).map { exp($0) })
    if space.searchesMscale { candidate.mscale = exp(next[space.pairs] * scales[space.pairs]) }
    return candidate
  }

  /// The logarithm of each factor at a point.
  private func logarithms(_ x: [Double]) -> [Double] {
    var sum = log(space.lower)
    return zip(x, scales).prefix(space.pairs).map { rise, scale in
      sum += rise * scale
      return sum
    }
  }

  private func coordinates(_ logarithms: [Double], mscale: Double) -> [Double] {
    let before = [log(space.lower)] + logarithms
    let rises = zip(logarithms, before).map { $0 - $1 }
    return zip(rises + (space.searchesMscale ? [mscale] : []), scales).map { $0 / $1 }
  }

  /// The slopes by the coordinates, from the derivatives by the logarithms of factors and mscale.
  private func slopes(_ derivatives: [Double]) -> [Double] {
    // A rise lifts all pairs from its own on.
    var (sum, sums) = (0.0, derivatives)
    for pair in (0..<space.pairs).reversed() {
      sum += derivatives[pair]
      sums[pair] = sum
    }
    return zip(sums, scales).map { $0 * $1 }
  }

  /// Whether nothing more can be gained from here.
  var isDone: Bool {
    let last = decreases.suffix(Self.memory)
    return radius < Self.leastRadius
      || last.count == Self.memory && last.reduce(0, +) < Self.leastDecrease
  }

  /// Whether the recent decrease is too slow to come below a value.
  func isHopeless(_ value: Double) -> Bool {
    guard let point else { return false }
    return point.value - decreases.suffix(Self.memory).reduce(0, +) > value
  }

  /// - Parameter derivatives: by the logarithm of each factor, and of mscale if it is searched.
  mutating func tell(_ value: Double, _ derivatives: [Double]) {
    let new = Point(x: next, value: value, slopes: slopes(derivatives))
    steps += 1
    if let old = point {
      learn(from: old, to: new)
      decreases.append(max(0, old.value - value))
      radius =
        value < old.value
        ? min(radius * 1.5, Self.greatestRadius) : min(radius, Self.distance(old.x, next)) * 0.4
    }
    if point.map({ value < $0.value }) ?? true { point = new }
    propose()
  }

  func isSound(pairs: Int) -> Bool {
    let count = pairs + (space.searchesMscale ? 1 : 0)
    let lists = [scales, next] + inverseHessian + (point.map { [$0.x, $0.slopes] } ?? [])
    return space.pairs == pairs && inverseHessian.count == count && radius > 0
      && lists.allSatisfy { $0.count == count && $0.allSatisfy(\.isFinite) }
  }

  // MARK: Steps

  private mutating func propose() {
    guard let point else { return }
    // A rise of zero stays as it is if the slope makes it negative.
    let free = point.x.indices.filter { !isHeld($0, point) }
    let slopes = point.x.indices.map { free.contains($0) ? point.slopes[$0] : 0 }
    var direction = slopes.indices.map {
      free.contains($0) ? -Self.product(inverseHessian[$0], slopes) : 0
    }
    if Self.product(direction, slopes) >= 0 {
      inverseHessian = Self.identity(scales.count)
      direction = slopes.map { -$0 }
    }
    let greatest = direction.map(abs).max() ?? 0
    let share = greatest > radius ? radius / greatest : 1
    next = fitted(zip(point.x, direction).map { $0 + share * $1 })
  }

  private func isHeld(_ index: Int, _ point: Point) -> Bool {
    index < space.pairs && point.x[index] <= 1e-12 && point.slopes[index] > 0
  }

  /// The point without negative rises, and with the limits of factors and mscale.
  private func fitted(_ x: [Double]) -> [Double] {
    let risen = x.indices.map { $0 < space.pairs ? max(0, x[$0]) : x[$0] }
    let limit = log(space.upper)
    var mscale = 0.0
    if space.searchesMscale {
      let range = space.mscaleLimits
      mscale = x[space.pairs] * scales[space.pairs]
      mscale = min(max(mscale, log(range.lowerBound)), log(range.upperBound))
    }
    return coordinates(logarithms(risen).map { min($0, limit) }, mscale: mscale)
  }

  /// The update of Broyden, Fletcher, Goldfarb and Shanno, unless the slope does not rise.
  private mutating func learn(from old: Point, to new: Point) {
    let step = zip(new.x, old.x).map { $0 - $1 }
    let change = zip(new.slopes, old.slopes).map { $0 - $1 }
    let rise = Self.product(step, change)
    let size = Self.product(step, step) * Self.product(change, change)
    guard rise > 1e-10 * size.squareRoot(), rise > 0 else { return }
    if steps == 2 {
      // The first curvature gives the scale of all others.
      let share = rise / Self.product(change, change)
      inverseHessian = Self.identity(scales.count).map { $0.map { $0 * share } }
    }
    let image = inverseHessian.map { Self.product($0, change) }
    let factor = (1 + Self.product(change, image) / rise) / rise
    for i in step.indices {
      for j in step.indices {
        inverseHessian[i][j] +=
          factor * step[i] * step[j] - (image[i] * step[j] + step[i] * image[j]) / rise
      }
    }
  }

  private static func identity(_ count: Int) -> [[Double]] {
    (0..<count).map { i in (0..<count).map { $0 == i ? 1 : 0 } }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).map { abs($0 - $1) }.max() ?? 0
  }
}
