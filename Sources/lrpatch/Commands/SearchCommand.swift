import ArgumentParser
import Formats
import Foundation
import Models
import Numerics
import Patch
import Release
import Search
import Verify

struct SearchCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Searches for the factors of a longer window, as LongRoPE and LongRoPE2 do.",
    discussion: """
      A model that carries LongRoPE's factors already is extended further: what is found comes on \
      top of them. Ctrl-C keeps the checkpoint, and --resume continues from it as if the search had \
      never been interrupted. What is found is compared with no factors, YaRN and NTK on the part of \
      the texts that the search did not see.
      """
        + examples(
          (
            "factors for four times the window, in at most two hours",
            "search model --target-length 32k -o factors.json --time-budget 2h"
          ),
          (
            "go on where an earlier search ended",
            "search model -o factors.json --resume factors.json.checkpoint"
          )))

  @Argument(
    help: "The model: a Hugging Face folder, or a .gguf file.", completion: .file(),
    transform: hubModel)
  var model: String

  @Option(help: ArgumentHelp("The extended window: 128k, 131072.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(
    name: [.short, .long], help: "The factors file to write; it must not exist.",
    completion: .file())
  var output: String

  @OptionGroup(title: "Fitness") var fitnessArguments: SearchFitnessArguments

  @OptionGroup(title: "Space") var spaceArguments: SearchSpaceArguments

  @OptionGroup(title: "Algorithm") var algorithmArguments: SearchAlgorithmArguments

  @OptionGroup(title: "Run") var runArguments: SearchRunArguments

  @OptionGroup(title: "Further files") var fileArguments: SearchFileArguments

  @OptionGroup(title: "Work") var work: WorkOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    guard Set(outputs).count == outputs.count else {
      throw ValidationError("two outputs have the same name")
    }
    guard !output.lowercased().hasSuffix(".csv") else {
      throw ValidationError(
        "-o writes the whole result as JSON; use --csv for a table")
    }
    guard !outputs.contains("") else { throw ValidationError("an output needs a name") }
    _ = try options()
  }

  func run() throws {
    for path in [output, fileArguments.csv, fileArguments.svg].compactMap(\.self)
    where FileSystem.exists(path) {
      throw ModelError.unsafe(path, "already exists; name a new path")
    }
    // Whatever would keep hours of work from being written is found at once.
    for path in outputs { _ = try OutputFile(path: path) }
    let job = try SearchJob(options(), session: common.open(model), environment: .process)
    let isFirst = job.isFirst
    if isFirst { job.remarks.forEach(common.note) }
    let progress = ProgressLine(isShown: !common.quiet && !work.noProgress && isFirst)
    Interruption.letCommandEnd()
    let outcome = try job.run { progress.show($0.share, SearchReport.label($0.generation)) }
    progress.end()
    if isFirst { try finish(outcome, heldOut: try heldOut(outcome, job)) }
  }

  /// The comparison on unseen data, unless the search was to end before it.
  private func heldOut(
    _ outcome: SearchOutcome, _ job: borrowing SearchJob
  ) throws -> HeldOut? {
    guard outcome.factors != nil, !runArguments.noComparison else { return nil }
    switch outcome.stop {
    case .interrupted?, .timeBudget?: return nil
    case .evaluations?, nil: break
    }
    do {
      let comparison = try job.compareHeldOut(outcome, environment: .process)
      if comparison == nil {
        common.note(
          "no held-out comparison, since the search used the whole texts; --part 1/2 leaves half of them"
        )
      }
      return comparison
    } catch let error as ModelError {
      common.note("no held-out comparison: \(error.message)")
      return nil
    } catch EarlyStop.interrupted {
      common.note("the held-out comparison was interrupted")
      return nil
    }
  }

  // MARK: Results

  private func finish(_ outcome: SearchOutcome, heldOut: HeldOut?) throws {
    guard outcome.factors != nil else {
      if outcome.stop == .interrupted {
        common.note("interrupted before anything was measured; nothing is kept")
        throw Interrupted()
      }
      throw ModelError.unsupported(
        output, "not written: the time budget ended before anything was measured")
    }
    try SearchReport(self, outcome, heldOut).write()
    // A search that came to its own end cannot be resumed.
    if outcome.stop == nil, runArguments.checkpoint == nil, runArguments.resume == nil {
      try? FileSystem.remove(checkpointPath)
    }
    guard let stop = outcome.stop else { return }
    common.note(Self.message(stop))
    if stop == .interrupted { throw Interrupted() }
  }

  private static func message(_ stop: EarlyStop) -> String {
    switch stop {
    case .timeBudget:
      """
      the time budget is used up; the best so far is written, and --resume continues from the \
      checkpoint
      """
    case .evaluations:
      "the requested number of candidates is evaluated; --resume continues from the checkpoint"
    case .interrupted: "interrupted; --resume continues from the checkpoint"
    }
  }
}
