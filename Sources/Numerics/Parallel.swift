import Dispatch
import Synchronization

/// Runs independent tasks on a number of threads.
///
/// No result depends on which thread runs which task.
public struct Parallel: Sendable {
  /// The number of threads.
  public let threads: Int

  /// - Parameter threads: the number of threads; numbers below 1 count as 1.
  public init(threads: Int) { self.threads = max(1, threads) }

  /// Calls `work` with each index below `count`, and waits until all calls have returned.
  package func run(_ count: Int, _ work: @Sendable (Int) -> Void) {
    run(count, scratch: { () }) { index, _ in work(index) }
  }

  /// The same, with scratch memory for each thread that its tasks use one after another.
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

  /// Calls `work` with ranges of `size` rows; the last one may be shorter.
  package func run(rows: Int, by size: Int, _ work: @Sendable (Range<Int>) -> Void) {
    run((rows + size - 1) / size) { work($0 * size..<min(rows, ($0 + 1) * size)) }
  }

  /// When the last task ends, if each takes its time and the next free thread begins the next one.
  package func makespan(_ times: [Int]) -> Int {
    var ends = Array(repeating: 0, count: threads)
    for time in times {
      let next = ends.indices.min { ends[$0] < ends[$1] } ?? 0
      ends[next] += time
    }
    return ends.max() ?? 0
  }
}
