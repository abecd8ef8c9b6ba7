import TestSupport
import Testing
import Verify

/// A verification that is to end before it has begun.
@Suite("Early stops") struct EarlyStopTests {
  /// The estimate before a long run already takes time.
  @Test(arguments: [true, false]) func anEstimateThatIsStoppedIsNoError(_ isInterrupted: Bool)
    throws
  {
    var options = VerifyOptions(model: Fixture.path("models/needle-256-x4"))
    options.tasks = [.perplexity]
    options.lengths = [256]
    options.windows = 2000
    options.gates = []
    if !isInterrupted { options.timeBudget = .zero }
    let job = try VerifyJob(options, environment: JobEnvironment(isInterrupted: { isInterrupted }))
    let outcome = try job.run()
    #expect(outcome.stop == (isInterrupted ? .interrupted : .timeBudget))
    #expect(outcome.measured.perplexities.isEmpty && !outcome.measured.missing.isEmpty)
  }
}
