import Foundation

/// Results of several threads, one slot per task.
final class Slots<Value: Sendable>: @unchecked Sendable {
  // @unchecked Sendable: writes hold the lock, and all of them happen before any slot is read.
  private let lock = NSLock()
  private var slots: [Value?]

  init(_ count: Int) { slots = Array(repeating: nil, count: count) }

  func set(_ index: Int, _ value: Value) { lock.withLock { slots[index] = value } }
  var values: [Value] { slots.compactMap(\.self) }
}
