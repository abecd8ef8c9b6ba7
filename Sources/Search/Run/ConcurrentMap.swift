import Models
import Numerics
import Synchronization

/// Calls a function that may fail for each of several indices, on several threads.
enum ConcurrentMap {
  private final class Results<Value: Sendable>: Sendable {
    let found = Mutex<[Int: Result<Value, any Error>]>([:])
  }

  /// - Returns: the results in the order of the indices.
  /// - Throws: what the first failing call throws.
  static func run<Value: Sendable>(
    _ count: Int, jobs: Int, _ body: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let results = Results<Value>()
    Parallel(threads: jobs).run(count, scratch: { () }) { index, _ in
      // After a failure, skip the rest.
      let hasFailed = results.found.withLock { $0.values.contains { (try? $0.get()) == nil } }
      guard !hasFailed else { return }
      let result = Result { try body(index) }
      results.found.withLock { $0[index] = result }
    }
    let found = results.found.withLock { $0 }
    for index in found.keys.sorted() {
      if case .failure(let error)? = found[index] { throw error }
    }
    return try (0..<count).map { index in
      guard let result = found[index] else {
        throw ModelError.unsupported("search", "a part of the work was lost")
      }
      return try result.get()
    }
  }
}
