import Dispatch
import Synchronization

/// Work in equal pieces on a number of threads. Which thread takes which piece does not matter to any result.
public struct Parallel: Sendable {
  public let threads: Int

  /// - Parameter threads: at least 1.
  public init(threads: Int) { self.threads = max(1, threads) }

  func run(_ count: Int, _ work: @Sendable (Int) -> Void) {
    let workers = min(threads, count)
    guard workers > 1 else {
      for index in 0..<count { work(index) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        work(index)
      }
    }
  }
}
