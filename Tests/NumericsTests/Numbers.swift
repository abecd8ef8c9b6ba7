/// Numbers between -1 and 1 that are the same in every run.
struct Numbers {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
  }

  /// The numbers of fixtures/make/make_golden_quantize.py, bit for bit.
  static func toQuantize(seed: UInt64, count: Int) -> [Float] {
    var numbers = Numbers(seed)
    let parts = (0..<4).map { _ in numbers.list(count) }
    var x = (0..<count).map { parts[0][$0] + parts[1][$0] + parts[2][$0] + parts[3][$0] }
    for index in 0..<512 { x[index] = 0 }
    x[300] = -60000
    for index in 0..<256 {
      x[512 + index] = 0.75
      x[768 + index] = Float(index - 128) * 0.5
      x[1024 + index] *= 0x1p-20
    }
    return x
  }

  mutating func list(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in next() * scale }
  }
}
