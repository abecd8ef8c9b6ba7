import Synchronization

/// Keeps the buffers of freed matrices for new matrices of the same size.
///
/// A layer frees and allocates the same sizes again and again. Without the pool, the allocator may
/// return their pages to the system each time, and page faults take a sixth of a short prefill.
@safe final class BufferPool: Sendable {
  static let shared = BufferPool()

  /// The least count of a pooled buffer (64 KiB).
  ///
  /// The allocator itself keeps smaller ones.
  private static let leastCount = 16 << 10
  /// The greatest count of all pooled buffers together (32 MiB).
  private static let greatestCount = 8 << 20

  @safe private struct State: @unchecked Sendable {
    // @unchecked Sendable: nobody else uses a buffer in the pool.
    var buffers: [Int: [UnsafeMutablePointer<Float>]] = unsafe [:]
    var count = 0
  }

  private let state = Mutex(State())

  /// A buffer for `count` numbers, not initialized.
  func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let kept = unsafe state.withLock { state -> UnsafeMutablePointer<Float>? in
      guard count >= Self.leastCount, let buffer = unsafe state.buffers[count]?.popLast() else {
        return nil
      }
      state.count -= count
      return unsafe buffer
    }
    return unsafe kept ?? .allocateLines(capacity: count)
  }

  /// Takes a buffer back, or frees it if the pool is full.
  func give(_ buffer: UnsafeMutablePointer<Float>, _ count: Int) {
    let isKept = state.withLock { state in
      guard count >= Self.leastCount, state.count + count <= Self.greatestCount else {
        return false
      }
      unsafe state.buffers[count, default: []].append(buffer)
      state.count += count
      return true
    }
    if !isKept { unsafe buffer.deallocate() }
  }
}
