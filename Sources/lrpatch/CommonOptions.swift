import ArgumentParser
import Formats
import Foundation
import Models
import Patch
import Verify

/// Options of every subcommand.
struct CommonOptions: ParsableArguments {
  @Flag(help: "Print one JSON document on stdout.")
  var json = false

  @Flag(name: [.short, .long], help: "Print nothing but results and errors.")
  var quiet = false

  @Flag(name: [.short, .long], help: "Print time, memory and bytes written to stderr.")
  var verbose = false

  /// Writes a remark to stderr.
  func note(_ text: String) { if !quiet { Output.note("note: \(text)") } }

  func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other") }
  }

  /// Opens a model, and reports what had to be restored after an interrupted command.
  func open(_ path: String, exclusive: Bool = false) throws -> ModelSession {
    let session: ModelSession
    do { session = try ModelSession(path: path, exclusive: exclusive) } catch let error as FileError
      where !FileSystem.exists(path) && HubCache.isName(path)
    { throw FileError("find, here or in the Hub's cache", path, code: error.code) }
    if let recovery = session.recovery { Output.note("note: \(recovery)") }
    return session
  }
}

/// Options of commands that take long.
struct WorkOptions: ParsableArguments {
  @Option(help: "Threads; default: all.")
  var threads: Int?

  @Flag(help: "No progress on stderr.")
  var noProgress = false

  var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024")
    }
  }
}

/// The help of MODEL.
let modelHelp: ArgumentHelp =
  "The model: a Hugging Face folder, or a .gguf file (any shard of a split one)."

/// The help of --precision.
let precisionHelp: ArgumentHelp =
  "exact: 32-bit floats. fast: bf16 products, if the processor has them. (default: exact)"

/// What a shell offers for MODEL: files and folders.
let modelCompletion = CompletionKind.file()

/// The path of a model, which may be given by its name on the Hub if it is in the cache.
func hubModel(_ text: String) -> String {
  HubCache.path(text, environment: ProcessInfo.processInfo.environment)
}

/// Refuses factors in the place of the model.
/// - Parameter place: where factors stand: before or after the model.
/// - Throws: `ValidationError`.
func refuseSwap(model: String, factors: String, expected place: String) throws {
  guard ForeignFile.isFactors(model), !ForeignFile.isFactors(factors) else { return }
  throw ValidationError(
    "the arguments are swapped: '\(model)' holds factors, which come \(place) the model")
}

/// A subcommand with the common options.
protocol ReportingCommand: ParsableCommand {
  var common: CommonOptions { get }
}

/// The value of --lengths.
func lengths(_ text: String) throws -> [Int] {
  guard let lengths = TokenCount.list(text) else {
    throw ValidationError("--lengths: '\(text)' is not a list of lengths, such as 4096,8k,128k")
  }
  return lengths
}

/// A length in tokens: `4096`, `4k`, `128k`, `1M`, with k = 1024.
struct TokenCount: ExpressibleByArgument {
  let value: Int

  /// Lengths separated by commas, or nil.
  static func list(_ text: String) -> [Int]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let counts = parts.compactMap { TokenCount(argument: String($0))?.value }
    return counts.count == parts.count ? counts : nil
  }

  init?(argument: String) {
    guard let value = TokenLength.parse(argument) else { return nil }
    self.value = value
  }
}
