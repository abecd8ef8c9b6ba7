/// What a long job asks the program that runs it.
public struct JobEnvironment: Sendable {
  /// Whether the job is to end early, with what it has.
  ///
  /// The job calls it often, and from several threads.
  public var isInterrupted: @Sendable () -> Bool
  /// The memory available without swapping, in bytes, or nil if it is not known.
  public var availableMemory: @Sendable () -> Int?

  /// An environment without interruptions or limits, unless they are given.
  public init(
    isInterrupted: @escaping @Sendable () -> Bool = { false },
    availableMemory: @escaping @Sendable () -> Int? = { nil }
  ) {
    self.isInterrupted = isInterrupted
    self.availableMemory = availableMemory
  }
}
