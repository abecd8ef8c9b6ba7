import Formats
import Patch
import Verify

/// One conversion of a model, planned: nothing is written before `perform`.
public struct Conversion: ~Copyable {
  private enum Product {
    case gguf(GGUFOutput)
    case folder(FolderContents)
  }

  public let output: String
  /// What the user should know.
  public let remarks: [String]
  /// Keeps other commands from changing the model, and has undone what an interrupted one left.
  private let session: ModelSession
  private let source: SourceModel
  private let options: ConversionOptions
  private let product: Product

  /// Plans what `output` will be: a GGUF file where its name ends so, else a folder.
  /// - Throws: `PatchError`, `VerifyError`, `FormatError` or `FileError`.
  public init(of path: String, to output: String, options: ConversionOptions) throws {
    let output = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    try Self.requireNew(output, source: path)
    let session = try ModelSession(path: path, exclusive: false)
    let source = try SourceModel(path: session.path)
    let (product, remarks) = try Self.plan(source, output, options)
    self.output = output
    self.options = options
    self.source = source
    self.product = product
    self.remarks = remarks
    self.session = session
  }

  private static func plan(
    _ source: SourceModel, _ output: String, _ options: ConversionOptions
  ) throws -> (Product, [String]) {
    if output.hasSuffix(".gguf") {
      let contents = try ggufContents(source, options)
      let files = try GGUFOutput(contents, path: output, maximumBytes: options.maximumShardBytes)
      for path in files.paths { try requireNew(path, source: source.path) }
      return (.gguf(files), contents.remarks)
    }
    guard options.type.isPlain else {
      throw PatchError.unsupported(
        output, "a folder's weights cannot be \(options.type.rawValue); f32, f16 and bf16 can be")
    }
    let contents = try FolderAssembly(source: source, options: options).contents()
    return (.folder(contents), contents.remarks)
  }

  private static func ggufContents(_ source: SourceModel, _ options: ConversionOptions) throws -> GGUFContents {
    switch source.description {
    case .gguf(let model): return try GGUFRetyping(source: source, model: model, options: options).contents()
    case .folder(let model):
      let family = try ConvertibleFamily.named(model.architecture.modelType, subject: model.path)
      // Reading it as it is run finds what is missing, misshaped or left over before anything is written.
      _ = try Transformer(path: model.path)
      let patched = try model.patched(by: options)
      return try GGUFAssembly(source: source, model: patched, family: family, options: options).contents()
    }
  }

  /// - Throws: `PatchError` for a path that is taken, in a Hub cache, or inside the model.
  private static func requireNew(_ output: String, source: String) throws {
    guard !output.lowercased().hasSuffix(".gguf") || output.hasSuffix(".gguf") else {
      throw PatchError.unsupported(output, "a GGUF file's name ends in .gguf, in small letters")
    }
    guard !FileSystem.exists(output) else {
      throw PatchError.unsafe(output, "exists already; name a new path")
    }
    try Safety.requireOutsideHubCache(output, remedy: "name a path outside it")
    let parent = try FileSystem.resolved(FileSystem.folder(of: output)) + "/"
    if FileSystem.isFolder(source), parent.hasPrefix(try FileSystem.resolved(source) + "/") {
      throw PatchError.unsafe(output, "lies inside the model that is converted; name a path outside it")
    }
  }

  /// What an interrupted change before had left to restore, in words.
  public var recovery: String? { session.recovery }

  /// Files that will appear.
  public var paths: [String] {
    switch product {
    case .gguf(let files): files.paths
    case .folder: [output]
    }
  }

  /// Bytes of tensors that will be written.
  public var tensorBytes: Int {
    switch product {
    case .gguf(let files): files.tensorBytes
    case .folder(let contents): contents.tensorBytes
    }
  }

  /// Writes the model; it appears complete or not at all.
  /// - Parameters:
  ///   - commit: is given what makes the files appear, to run it without an interruption.
  ///   - report: called with bytes that have just been written, from several threads.
  /// - Throws: `FileError`, also before anything is written where there is no room for it; `PatchError` for a number that
  ///   the type cannot hold, or where the model changed meanwhile.
  public func perform(
    commit: @escaping (() throws -> Void) throws -> Void = { try $0() }, report: @escaping @Sendable (Int) -> Void
  ) throws {
    let folder = FileSystem.folder(of: output)
    if let free = FileSystem.freeBytes(in: folder), free < tensorBytes {
      throw FileError("write \(tensorBytes) bytes where \(free) are free", output, code: Self.noSpace)
    }
    let writer = TensorWriter(report: report, threads: options.threads)
    let names = Set(paths.map { FileSystem.name(of: $0)[...] })
    try OutputFile.removeAbandoned(in: folder) { names.contains($0) }
    do {
      switch product {
      case .gguf(let files):
        if case .gguf(let model) = source.description {
          let file = try MappedFile(path: model.path)
          try files.write(writer, arraysIn: file.bytes, beforeCommit: source.requireUnchanged, commit: commit)
        } else {
          try files.write(writer, arraysIn: RawSpan(), beforeCommit: source.requireUnchanged, commit: commit)
        }
      case .folder(let contents):
        try contents.write(to: output, writer, beforeCommit: source.requireUnchanged, commit: commit)
      }
    } catch let error as FileError where error.isExisting {
      throw PatchError.unsafe(output, "exists already; name a new path")
    }
  }

  /// ENOSPC
  private static let noSpace: Int32 = 28
}

extension HuggingFaceModel {
  /// The same model with the factors that the conversion is to put in.
  func patched(by options: ConversionOptions) throws -> HuggingFaceModel {
    guard let source = options.factors else { return self }
    var applyOptions = ApplyOptions()
    applyOptions.allowDivergent = options.allowDivergent
    applyOptions.targetWindow = options.targetWindow
    let stamp = Stamp(version: lrpatchVersion, factorsSHA256: source.sha256)
    let factors = try ModelFactors(
      fitting: source.set, to: geometry, subject: path, targetWindow: options.targetWindow,
      allowDivergent: options.allowDivergent,
      requiresOriginalWindow: true)
    let plan = try FolderPlanner(model: self, factors: factors, options: applyOptions, stamp: stamp).plan()
    func edited(_ name: String) throws -> JSONDocument? {
      guard case .contents(_, let text?)? = plan.edits.first(where: { $0.name == name })?.action else { return nil }
      return try JSONDocument(parsing: text)
    }
    return try HuggingFaceModel(
      self, config: edited(Self.configName) ?? config, tokenizerConfig: edited(Self.tokenizerConfigName))
  }
}
