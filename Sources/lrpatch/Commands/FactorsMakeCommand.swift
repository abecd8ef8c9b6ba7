import ArgumentParser
import Formats
import Models
import Patch
import Search

struct FactorsMakeCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "make",
    abstract: "Makes factors by a formula, and shows a model's critical dimensions.",
    discussion: """
      pi: s for every pair. ntk: from 1 to s. ntk-theta: the base at which the theoretical critical \
      pair gets s. yarn: a ramp, as transformers has it. yarn-rcd, ntk-rcd: the same, at the real \
      critical pair. ntk-left: lambda from the critical pair on, NTK below it. mrrope: a ramp of \
      MrRoPE. abf: another base.
      """
        + examples(
          (
            "YaRN's factors for 32768 tokens",
            "factors make model --method yarn --target-length 32k -o yarn.json"
          ),
          (
            "LongRoPE2's form with a greater factor",
            "factors make model --method ntk-left --lambda 2.2 --target-length 16k"
          )))

  @Argument(
    help: "The model whose theta, rotary dimensions and window count: a folder, or a .gguf file.",
    completion: .file(), transform: hubModel)
  var model: String

  @Option(
    help: choiceHelp("The formula", ClosedForm.self), completion: choices(ClosedForm.self),
    transform: choice)
  var method: ClosedForm

  @Option(help: ArgumentHelp("The extended window: 128k, 131072.", valueName: "tokens"))
  var targetLength: TokenCount

  @Option(
    help: ArgumentHelp(
      "The original window, instead of what the model says.", valueName: "tokens"))
  var originalLength: TokenCount?

  @Option(
    help: ArgumentHelp(
      """
      The real critical dimension as a pair's index, for yarn-rcd, ntk-rcd and ntk-left; default \
      the theoretical one.
      """,
      valueName: "pair"))
  var criticalDimension: Int?

  @Option(help: "ntk-left's factor from the critical pair on; default s.")
  var lambda: Double?

  @Option(help: "abf's base, greater than the model's.")
  var theta: Double?

  @Option(
    help: MscaleChoice.help, completion: MscaleChoice.completion, transform: MscaleChoice.init)
  var mscale = MscaleChoice.su

  @Option(
    name: [.short, .long], help: "Write the factors as the canonical file; it must not exist.",
    completion: .file())
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Draw factors and periods into an SVG file; it must not exist.", valueName: "file"),
    completion: .file())
  var svg: String?

  @OptionGroup(title: "Common") var common: CommonOptions

  func validate() throws {
    if criticalDimension != nil, !method.takesCriticalPair {
      throw ValidationError("--critical-dimension is for yarn-rcd, ntk-rcd and ntk-left")
    }
    let outputs = [output, svg].compactMap(\.self).map(FileSystem.canonical)
    if Set(outputs).count < outputs.count {
      throw ValidationError("--output and --svg have the same name")
    }
    if lambda != nil, !method.takesLambda { throw ValidationError("--lambda is for ntk-left") }
    if (theta != nil) != method.takesTheta {
      throw ValidationError(theta == nil ? "abf needs --theta" : "--theta is for abf")
    }
    if let theta, !(theta.isFinite && theta > 1) {
      throw ValidationError("--theta takes a number above 1")
    }
    if let lambda, !(lambda.isFinite && lambda >= 1) {
      throw ValidationError("--lambda takes a number from 1 on")
    }
  }

  func run() throws {
    // Both are made or none.
    for path in [output, svg].compactMap(\.self) {
      if FileSystem.exists(path) {
        throw ModelError.unsafe(path, "already exists; name a new path")
      }
      _ = try OutputFile(path: path)
    }
    let session = try common.open(model)
    let geometry = try Inspection(session).geometry
    var settings = try geometry.settings(
      target: targetLength.value, original: originalLength?.value, subject: model)
    settings.criticalPair = criticalDimension
    settings.lambda = lambda
    settings.newTheta = theta
    if let theta, theta < geometry.theta {
      throw ModelError.unsupported(
        model, "its base is \(geometry.theta), and --theta \(theta) is less")
    }
    if let pair = criticalDimension, !(1..<settings.pairs).contains(pair) {
      throw ModelError.unsupported(
        model, "the critical pair \(pair) does not exist: expected 1 to \(settings.pairs - 1)")
    }
    let set = FactorSet(
      originalWindow: settings.originalWindow, window: settings.window,
      long: .uniform(method.factors(settings)), mscale: mscale.value,
      requires: .init(rotaryDimensions: settings.rotaryDimensions, theta: settings.theta),
      provenance: provenance(settings))
    try set.validate(model)
    if let output, let note = try FactorFile.write(set, to: output) { common.note(note) }
    let plot = FactorPlot(
      factorSet: set, settings: settings, title: "\(method.rawValue), \(FileSystem.name(of: model))"
    )
    if let svg { try ExclusiveOutput.write(Array(plot.svg.utf8), to: svg) }
    report(set, plot)
  }

  private func provenance(_ settings: ClosedForm.Settings) -> JSONValue {
    var members = [
      JSONMember("tool", .string("lrpatch \(lrpatchVersion)")),
      JSONMember("method", .string(method.rawValue)),
    ]
    if method.takesCriticalPair {
      let pair = settings.criticalPair ?? settings.theoreticalCriticalPair
      members.append(JSONMember("critical_pair", .number(pair)))
    }
    if method.takesLambda {
      members.append(JSONMember("lambda", .number(settings.lambda ?? settings.scale)))
    }
    if let theta = settings.newTheta { members.append(JSONMember("theta", .number(theta))) }
    return .object(members)
  }

  private func report(_ set: FactorSet, _ plot: FactorPlot) {
    if common.json { return Output.json(set.json) }
    if common.quiet, output != nil { return }
    Output.result(plot.text)
    if let output { Output.result("\(output): \(set.long.pairs) factors written") }
  }
}

/// What `--mscale` takes.
struct MscaleChoice {
  static let su = MscaleChoice(value: .su)
  static let help: ArgumentHelp = "The attention scale: su, yarn, none or a number. (default: su)"
  static let completion = CompletionKind.list(["su", "yarn", "none"])

  let value: Mscale

  private init(value: Mscale) { self.value = value }

  init(_ text: String) throws {
    guard let value = Mscale(name: text) else {
      throw ValidationError(
        "'\(text)' is not an attention scale: expected su, yarn, none or a number from 0.01 to 100")
    }
    self.value = value
  }
}
