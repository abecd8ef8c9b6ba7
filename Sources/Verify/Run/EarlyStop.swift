/// Why a job ended before all its work was done.
public enum EarlyStop: Error, Equatable, CaseIterable, Sendable {
  /// The time that it was given is used up.
  case timeBudget
  /// The candidates that a search was given are evaluated.
  case evaluations
  /// `JobEnvironment.isInterrupted` returned true.
  case interrupted
}

/// Ends a job between two pieces of its work.
package struct StopCheck: Sendable {
  private let isInterrupted: @Sendable () -> Bool
  private let deadline: ContinuousClock.Instant?

  /// - Parameter budget: the time from now on; nil for no limit.
  package init(_ environment: JobEnvironment, budget: Duration?) {
    isInterrupted = environment.isInterrupted
    deadline = budget.map { ContinuousClock.now.advanced(by: $0) }
  }

  /// - Throws: `EarlyStop` when the job is to end.
  package func callAsFunction() throws {
    if isInterrupted() { throw EarlyStop.interrupted }
    if let deadline, ContinuousClock.now >= deadline { throw EarlyStop.timeBudget }
  }
}
