import Formats
import Inference
import Models
import Patch

/// A planned conversion of a model.
///
/// Nothing is written before `perform`.
public struct Conversion: ~Copyable {
  private enum Product {
    case gguf(GGUFOutput)
    case folder(FolderContents)
  }

  /// The path of the output.
  public let output: String
  /// Notes for the user.
  public let remarks: [String]
  /// Prevents other commands from changing the model.
  private let session: ModelSession
  private let source: ConversionSource
  private let options: ConversionOptions
  private let product: Product

  /// Plans a conversion.
  /// - Parameters:
  ///   - path: the model to convert.
  ///   - output: a path that does not exist. The output is a GGUF file if the name ends in `.gguf`,
  ///     else a folder.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  public init(of path: String, to output: String, options: ConversionOptions) throws {
    let output = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    try Self.requireNew(output, source: path)
    let session = try ModelSession(path: path, exclusive: false)
    let source = try ConversionSource(session.open())
    let (product, remarks) = try Self.plan(source, output, options)
    self.output = output
    self.options = options
    self.source = source
    self.product = product
    self.remarks = remarks
    self.session = session
  }

  private static func plan(
    _ source: ConversionSource, _ output: String, _ options: ConversionOptions
  ) throws -> (Product, [String]) {
    if output.hasSuffix(".gguf") {
      let contents = try ggufContents(source, options)
      let files = try GGUFOutput(contents, path: output, maximumBytes: options.maximumShardBytes)
      for path in files.paths { try requireNew(path, source: source.path) }
      return (.gguf(files), contents.remarks)
    }
    guard options.type.isPlain else {
      throw ModelError.unsupported(
        output,
        "the weights of a folder cannot be \(options.type.rawValue), expected f32, f16 or bf16")
    }
    let contents = try FolderAssembly(source: source, options: options).contents()
    return (.folder(contents), contents.remarks)
  }

  private static func ggufContents(
    _ source: ConversionSource, _ options: ConversionOptions
  ) throws -> GGUFContents {
    switch source.model {
    case .gguf(let model):
      return try GGUFRetyping(source: source, model: model, options: options).contents()
    case .folder(let model):
      try model.architecture.requireConvertible(model.path)
      // Opening the model as for a run finds missing, misshapen and superfluous tensors before
      // anything is written.
      _ = try Transformer(source.model)
      _ = try Tokenizer(path: model.path)
      let patched = try model.patched(by: options)
      return try GGUFAssembly(source: source, model: patched, options: options).contents()
    }
  }

  /// Checks that a path can be created.
  /// - Throws: `ModelError` for a path that exists, or that is in a Hub cache or inside the model.
  private static func requireNew(_ output: String, source: String) throws {
    guard !output.lowercased().hasSuffix(".gguf") || output.hasSuffix(".gguf") else {
      throw ModelError.unsupported(output, "a GGUF file name must end in lowercase .gguf")
    }
    guard !FileSystem.exists(output) else {
      throw ModelError.unsafe(output, "already exists; name a new path")
    }
    try FileSafety.requireOutsideHubCache(output, remedy: "name a path outside it")
    // The folder of the output is made if only it is missing.
    let folder = FileSystem.folder(of: output)
    let existing = FileSystem.exists(folder) ? folder : FileSystem.folder(of: folder)
    let place = try FileSystem.resolved(existing) + "/"
    if FileSystem.isFolder(source), place.hasPrefix(try FileSystem.resolved(source) + "/") {
      throw ModelError.unsafe(
        output, "is inside the model that is being converted; name a path outside it")
    }
  }

  /// A message about an interrupted change of the model that was undone, or nil.
  public var recovery: String? { session.recovery }

  /// The paths that will be created.
  public var paths: [String] {
    switch product {
    case .gguf(let files): files.paths
    case .folder: [output]
    }
  }

  /// The number of bytes of tensor data that will be written.
  public var tensorBytes: Int {
    switch product {
    case .gguf(let files): files.tensorBytes
    case .folder(let contents): contents.tensorBytes
    }
  }

  /// Writes the model.
  ///
  /// It appears complete or not at all.
  /// - Parameters:
  ///   - commit: calls its argument, which makes the files appear and should not be interrupted.
  ///   - report: called from several threads with the number of bytes that were just written.
  /// - Throws: `FileError`, also if there is too little space for the output; `ModelError` for a
  ///   number that the type cannot store, or if the model has changed since it was opened.
  public func perform(
    commit: @escaping (() throws -> Void) throws -> Void = { try $0() },
    report: @escaping @Sendable (Int) -> Void
  ) throws {
    let folder = FileSystem.folder(of: output)
    let existing = FileSystem.exists(folder) ? folder : FileSystem.folder(of: folder)
    if let free = FileSystem.freeBytes(in: existing), free < tensorBytes {
      throw FileError(
        "write \(tensorBytes) bytes with \(free) bytes free", output, code: Self.noSpace)
    }
    try FileSystem.createLastFolder(folder)
    let writer = TensorWriter(report: report, threads: options.threads)
    let names = Set(paths.map { FileSystem.name(of: $0)[...] })
    try OutputFile.removeAbandoned(in: folder) { names.contains($0) }
    do {
      switch product {
      case .gguf(let files):
        if case .gguf(let model) = source.model {
          let file = try MappedFile(path: model.path)
          try files.write(
            writer, arraysIn: file.bytes, beforeCommit: source.tensors.requireUnchanged,
            commit: commit)
        } else {
          try files.write(
            writer, arraysIn: RawSpan(), beforeCommit: source.tensors.requireUnchanged,
            commit: commit)
        }
      case .folder(let contents):
        try contents.write(
          to: output, writer, beforeCommit: source.tensors.requireUnchanged, commit: commit)
      }
    } catch let error as FileError where error.isExisting {
      throw ModelError.unsafe(output, "already exists; name a new path")
    }
  }

  /// The error code ENOSPC.
  private static let noSpace: Int32 = 28
}

extension ModelFolder {
  /// The model with the factors of the conversion, if there are any.
  func patched(by options: ConversionOptions) throws -> ModelFolder {
    guard let source = options.factors else { return self }
    var applyOptions = ApplyOptions()
    applyOptions.allowDivergent = options.allowDivergent
    applyOptions.targetWindow = options.targetWindow
    let mark = PatchMark(version: lrpatchVersion, factorsSHA256: source.sha256)
    let factors = try ModelFactors(
      fitting: source.set, to: geometry, subject: path, targetWindow: options.targetWindow,
      allowDivergent: options.allowDivergent, requiresOriginalWindow: true)
    return try patched(with: factors, options: applyOptions, mark: mark)
  }
}

extension Architecture {
  /// Refuses an architecture that cannot be converted.
  /// - Throws: `ModelError` that lists the architectures that can be converted.
  func requireConvertible(_ path: String) throws(ModelError) {
    guard !convertsToGGUF else { return }
    throw .unsupported(
      path,
      """
      models of the family '\(name)' cannot be converted, expected one of \
      \(Self.list(\.convertsToGGUF))
      """
    )
  }
}
