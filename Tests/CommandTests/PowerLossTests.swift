import Foundation
import TestSupport
import Testing

/// Builds the disk states that a power loss may leave of a run, and recovers them.
///
/// `make test-power` does the same with all runs and many more states; specs/reliability.md has the
/// figures.
@Suite("Power loss", .serialized) struct PowerLossTests {
  private func strike(_ arguments: [String]) throws {
    try python("Tests/Faults/power", arguments + ["--program", Program.path])
  }

  @Test func leavesTheOldFilesOrTheNewOnes() throws { try strike(["--quick"]) }

  @Test func findsAForgottenFsync() throws { try strike(["--self-test"]) }
}
