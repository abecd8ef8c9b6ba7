/// How a product of many tokens with a matrix is divided among threads: into tiles of outputs, and
/// each tile into blocks of tokens.
///
/// One tile is packed by each task that uses it, so blocks cost work; without them, a narrow matrix
/// would leave most threads of a large machine idle. No result depends on the division, because
/// each output of each token is a sum of its own.
package struct ProductTasks: Equatable, Sendable {
  /// The outputs of a tile; the last one may have fewer.
  let size: Int
  /// The tokens of a block; the last one may have fewer.
  let block: Int
  private let outputs: Int
  private let tokens: Int

  /// Sizes of tiles for which the kernels are fast.
  private static let sizes = [128, 96, 64]
  /// Blocks are multiples of this number of tokens.
  private static let unit = 32
  /// What packing a tile costs, as the tokens whose product with it takes as long.
  private static let packing = 48

  /// Divides a product so that the threads end as early as possible.
  package init(outputs: Int, tokens: Int, threads: Int) {
    let blocks = Set((1...max(1, threads)).map { Self.block(tokens, $0) }).sorted(by: >)
    var best = (size: Self.sizes[0], block: tokens, time: Int.max)
    for block in blocks {
      for size in Self.sizes {
        let count = outputs.divided(by: size) * tokens.divided(by: block)
        let time = count.divided(by: threads) * size * (block + Self.packing)
        if time < best.time { best = (size, block, time) }
      }
    }
    self.init(outputs: outputs, size: best.size, tokens: tokens, block: best.block)
  }

  /// Divides a product into tiles only.
  init(outputs: Int, size: Int, tokens: Int) {
    self.init(outputs: outputs, size: size, tokens: tokens, block: tokens)
  }

  private init(outputs: Int, size: Int, tokens: Int, block: Int) {
    (self.outputs, self.size, self.tokens, self.block) = (outputs, size, tokens, max(1, block))
  }

  private static func block(_ tokens: Int, _ count: Int) -> Int {
    max(1, min(tokens, tokens.divided(by: count).divided(by: unit) * unit))
  }

  private var blocks: Int { tokens.divided(by: block) }

  /// The number of tasks.
  package var count: Int { outputs.divided(by: size) * blocks }

  /// The outputs of a task.
  package func outputs(of task: Int) -> Range<Int> {
    let start = task / blocks * size
    return start..<min(outputs, start + size)
  }

  /// The tokens of a task.
  package func tokens(of task: Int) -> Range<Int> {
    let start = task % blocks * block
    return start..<min(tokens, start + block)
  }

  /// The work of each task, in outputs times tokens, without packing.
  package var works: [Int] {
    (0..<count).map { outputs(of: $0).count * tokens(of: $0).count }
  }
}

extension Int {
  /// The quotient, rounded up.
  fileprivate func divided(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}
