import Verify

extension JobEnvironment {
  /// This process: signals end a job early, and it may use the memory that is available.
  static let process = JobEnvironment(
    isInterrupted: { Interruption.isPending }, availableMemory: { ResourceUse.availableMemory })
}
