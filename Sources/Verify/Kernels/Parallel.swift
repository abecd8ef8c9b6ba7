import Dispatch
import Synchronization

/// Work in equal pieces on a number of threads. Which thread takes which piece does not matter to any result.
public struct Parallel: Sendable {
  public let threads: Int

  /// - Parameter threads: at least 1.
  public init(threads: Int) { self.threads = max(1, threads) }

  func run(_ count: Int, _ work: @Sendable (Int) -> Void) {
    run(count, scratch: { () }) { index, _ in work(index) }
  }

  /// The same with something of its own for each thread, which the pieces that it takes use one after another.
  package func run<Scratch>(
    _ count: Int, scratch: @Sendable () -> Scratch, _ work: @Sendable (Int, Scratch) -> Void
  ) {
    let workers = min(threads, count)
    guard workers > 1 else {
      let own = scratch()
      for index in 0..<count { work(index, own) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      let own = scratch()
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        work(index, own)
      }
    }
  }

  /// Rows in pieces of `size`.
  func run(rows: Int, by size: Int, _ work: @Sendable (Range<Int>) -> Void) {
    run((rows + size - 1) / size) { work($0 * size..<min(rows, ($0 + 1) * size)) }
  }
}
