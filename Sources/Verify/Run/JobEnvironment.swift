/// What a long job asks the program that runs it.
public struct JobEnvironment: Sendable {
  /// Whether the job is to end early, with what it has. Asked often, from several threads.
  public var isInterrupted: @Sendable () -> Bool
  /// The memory that can be had without swapping, in bytes, or nil if that is not known.
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
