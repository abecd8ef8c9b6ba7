import Formats
import Foundation
import Patch
import Synchronization
import TestSupport
import Testing
import Verify

@testable import Search

/// A search that is ended at any moment keeps what it has measured.
@Suite("Early stops of a search") struct EarlyStopTests {
  /// Asks to stop once it was asked a number of times.
  private final class Countdown: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    var isOver: Bool {
      left.withLock {
        $0 -= 1
        return $0 < 0
      }
    }
  }

  private func options(_ folder: TemporaryDirectory, _ name: String) -> SearchOptions {
    var options = SearchOptions(model: SearchFixture.model, targetWindow: 272)
    options.texts = [Fixture.path("text/moby-dick-opening.txt")]
    options.documents = 2
    options.algorithm = .longrope
    (options.population, options.parents) = (3, 2)
    (options.mutants, options.crossovers, options.iterations) = (1, 1, 1)
    options.threads = 1
    options.checkpoint = "\(folder.path)/\(name).checkpoint"
    return options
  }

  /// Stops within the first population, and within the second.
  @Test(arguments: [7, 22])
  func goesOnFromTheUnitsThatWereMeasured(_ count: Int) throws {
    let folder = try TemporaryDirectory()
    let whole = options(folder, "whole")
    let expected = try SearchJob(whole).run()
    let part = options(folder, "part")
    let countdown = Countdown(count)
    var environment = JobEnvironment()
    environment.isInterrupted = { countdown.isOver }
    let stopped = try SearchJob(part, environment: environment).run()
    #expect(stopped.stop == .interrupted && stopped.factors != nil)
    let pending = try #require(Checkpoint(path: part.checkpoint ?? "").state?.pending)
    #expect(!pending.isEmpty)
    if stopped.generations.isEmpty {
      #expect(stopped.cost.tokens > 0 && stopped.cost.evaluations > 0)
    }
    var rest = SearchOptions(model: SearchFixture.model)
    rest.resume = part.checkpoint
    rest.threads = 1
    let found = try SearchJob(rest).run()
    #expect(found.best == expected.best && found.cost == expected.cost)
    #expect(found.generations == expected.generations)
  }

  /// What is known is not computed again, and counts only with all that was asked for.
  @Test func theLedgerNeedsDerivativesThatAreWanted() {
    let (a, b) = (Candidate([1, 2]), Candidate([1, 3]))
    let ledger = UnitLedger()
    #expect(ledger.best(of: 2) == nil)
    ledger.note(UnitDerivatives(loss: 2), a, 0)
    #expect(ledger.result(a, 0, withDerivatives: true) == nil)
    #expect(ledger.result(a, 0, withDerivatives: false)?.loss == 2)
    ledger.note(UnitDerivatives(loss: 1), b, 0)
    #expect(ledger.best(of: 2)?.candidate == b && ledger.best(of: 2)?.isComplete == false)
    ledger.note(UnitDerivatives(loss: 2), a, 1)
    #expect(ledger.best(of: 2)?.candidate == a && ledger.best(of: 2)?.isComplete == true)
    #expect(UnitLedger(ledger.entries).entries == ledger.entries)
    ledger.clear()
    #expect(ledger.entries.isEmpty)
  }
}
