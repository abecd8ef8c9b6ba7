import ArgumentParser
import Convert
import Formats
import Foundation
import Patch
import Synchronization

struct ConvertCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Converts between safetensors folders and GGUF files, keeping LongRoPE.",
    discussion: """
      OUT is a GGUF file if its name ends in .gguf, otherwise a folder. A model that stays in its \
      format is stored in other types, in other files, or both. The result appears complete or not \
      at all.
      """
        + examples(
          ("a folder as a GGUF file of 8 bits", "convert model -o model-q8_0.gguf --type q8_0"),
          ("with factors on the way", "convert model -o long.gguf --factors factors.json")))

  @Argument(help: modelHelp, completion: modelCompletion, transform: hubModel)
  var model: String

  @Option(
    name: [.short, .long], help: "The new path: NAME.gguf, or a folder.", completion: .file())
  var output: String

  @Option(
    help: choiceHelp("The type of matrices", TensorType.self, default: .auto),
    completion: choices(TensorType.self), transform: Self.type)
  var type = TensorType.auto

  @Option(help: "Factors to put into the model on the way, in any form of FACTORS.")
  var factors: String?

  @Option(
    help: ArgumentHelp(
      "The extended window, if the factors do not say it: 128k, 131072.", valueName: "tokens"))
  var targetLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      "The most bytes of tensors in one file: 500M, 2G. More are split.", valueName: "size"))
  var maxShardSize: ByteCount?

  @Option(
    help: ArgumentHelp(
      "The name that a GGUF file gives the model; default the folder's.", valueName: "name"))
  var name: String?

  @Flag(help: "Write values that some runtime cannot express.")
  var allowDivergent = false

  @OptionGroup(title: "Work") var work: WorkOptions

  @OptionGroup(title: "Common") var common: CommonOptions

  /// Suffixes that no folder of a model has.
  private static let suffixesOfFiles = [
    ".bin", ".safetensors", ".pt", ".pth", ".json", ".onnx", ".ggml", ".npz",
  ]
  private static let leastShardSize = 100_000

  private static func type(_ text: String) throws -> TensorType {
    guard let type = TensorType(rawValue: text.lowercased()) else {
      throw unknown(text, TensorType.allCases.map(\.rawValue))
    }
    return type
  }

  func validate() throws {
    if output.isEmpty { throw ValidationError("-o needs a path") }
    if let suffix = Self.suffixesOfFiles.first(where: output.lowercased().hasSuffix) {
      throw ValidationError(
        "-o takes NAME.gguf or a folder, and '\(suffix)' is the suffix of neither"
      )
    }
    if let size = maxShardSize?.value, size < Self.leastShardSize {
      throw ValidationError(
        "--max-shard-size takes 100K or more, not \(size) bytes; units follow the number, as in 500M or 2G"
      )
    }
    if name != nil, !output.hasSuffix(".gguf") {
      throw ValidationError("--name is for a .gguf file")
    }
    if targetLength != nil, factors == nil {
      throw ValidationError("--target-length goes with --factors")
    }
    if name?.isEmpty == true { throw ValidationError("--name needs a name") }
  }

  func run() throws {
    let conversion = try Conversion(of: model, to: output, options: options())
    if let recovery = conversion.recovery { Output.note("note: \(recovery)") }
    for remark in conversion.remarks { common.note("\(remark)") }
    let progress = WrittenBytes(
      total: conversion.tensorBytes,
      line: ProgressLine(isShown: !work.noProgress && !common.quiet && !common.json))
    defer { progress.end() }
    try conversion.perform(commit: { try Interruption.deferred($0) }, report: { progress.add($0) })
    progress.end()
    report(conversion)
  }

  private func options() throws -> ConversionOptions {
    var options = ConversionOptions()
    options.type = type
    options.factors = try factors.map { try FactorSource(path: $0) }
    options.maximumShardBytes = maxShardSize?.value
    options.name = name
    options.targetWindow = targetLength?.value
    options.allowDivergent = allowDivergent
    options.threads = work.threadCount
    return options
  }

  private func report(_ conversion: borrowing Conversion) {
    if common.json {
      return Output.json(
        .object([
          "schema": DocumentSchema.convert.json, "model": .string(model),
          "output": .array(conversion.paths.map { .string($0) }), "type": .string(type.rawValue),
          "tensor_bytes": .number(conversion.tensorBytes),
          "remarks": .array(conversion.remarks.map { .string($0) }),
        ]))
    }
    guard !common.quiet else { return }
    let paths = conversion.paths
    let what = paths.count == 1 ? paths[0] : "\(paths[0]) and \(paths.count - 1) more"
    Output.result("\(what): \(conversion.tensorBytes) bytes of tensors written")
  }
}

/// A number of bytes: `500000000`, `500M`, `2G`, with M = 10^6, as on the Hub.
struct ByteCount: ExpressibleByArgument {
  let value: Int

  init?(argument: String) {
    let units: [Character: Int] = [
      "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000,
    ]
    let unit = argument.last.flatMap { units[Character($0.uppercased())] }
    let digits = unit == nil ? argument[...] : argument.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(digits), number > 0
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
    guard !overflow else { return nil }
    value = product
  }
}

/// Counts the bytes that threads have written, and shows the progress.
private final class WrittenBytes: Sendable {
  private struct State {
    var written = 0
    var line: ProgressLine
  }

  private let total: Int
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  init(total: Int, line: sending ProgressLine) {
    self.total = max(1, total)
    state = Mutex(State(line: line))
  }

  func add(_ bytes: Int) {
    state.withLock { state in
      state.written += bytes
      let seconds = Double((ContinuousClock.now - start).components.seconds)
      let rate = seconds >= 1 ? ", \(Int(Double(state.written) / seconds / 1e6)) MB/s" : ""
      state.line.show(
        Double(state.written) / Double(total), "\(state.written / 1_000_000) MB written\(rate)")
    }
  }

  func end() { state.withLock { $0.line.end() } }
}
