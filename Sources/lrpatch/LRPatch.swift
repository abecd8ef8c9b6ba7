import ArgumentParser
import Formats
import Glibc
import Patch
import Search
import Verify

/// The program: its subcommands, and how errors become messages and exit codes (specs/cli.md).
@main
struct LRPatch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lrpatch",
    abstract: "Patches language models with LongRoPE factors, so that every runtime uses them.",
    discussion: """
      MODEL is a Hugging Face model folder, a .gguf file (any shard of a split one), or a name on the Hub \
      (org/name[@revision], also with a file behind it) that is in the cache. FACTORS is a factors file, a \
      LongRoPE search CSV, a JSON file with a rope_scaling or rope_parameters object, or another model that carries \
      factors.

      Exit codes: \(ExitCode.list).
      """,
    version: lrpatchVersion,
    subcommands: [
      InspectCommand.self, LintCommand.self, ApplyCommand.self, RevertCommand.self,
      ConvertCommand.self, VerifyCommand.self, LadderCommand.self, SearchCommand.self,
      MixCommand.self, ReportCommand.self,
      CardCommand.self, CertifyCommand.self, ProvenanceCommand.self, DiffCommand.self,
      FactorsCommand.self,
    ])

  static func main() {
    ResourceUse.begin()
    Interruption.arm()
    var kind: any ParsableCommand.Type = LRPatch.self
    do {
      try refuseTildes(CommandLine.arguments)
      let arguments = Array(CommandLine.arguments.dropFirst())
      let named = try requireCommand(arguments)
      var command = try parse(arguments, of: named)
      kind = type(of: command)
      let isVerbose = (command as? any ReportingCommand)?.common.verbose == true
      defer { if isVerbose { Output.note(ResourceUse.summary) } }
      try command.run()
      if Output.hasLostText { throw FileError("write", "standard output", code: EIO) }
      endOtherProcesses(.success)
    } catch {
      let failure = Failure(error, of: kind)
      failure.report()
      endOtherProcesses(failure.exitCode)
      Glibc.exit(failure.exitCode.rawValue)
    }
  }

  /// Ends MPI, so that the other processes do not wait for this one.
  private static func endOtherProcesses(_ code: ExitCode) {
    Ranks.end(code: code.rawValue)
  }
}
