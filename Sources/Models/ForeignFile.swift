import Formats

/// Files that people take for a model, each with what it is and what to do.
package enum ForeignFile {
  /// The endings of weights in PyTorch's pickle format.
  private static let pickles = [".bin", ".pt", ".pth", ".ckpt"]

  /// The error for a folder with a config but without weights that can be read.
  static func missingWeights(_ folder: String) -> ModelError {
    otherWeights(folder) ?? .unsupported(folder, "the folder has no safetensors weights")
  }

  /// The error for a folder with weights in another format, or nil if there are none.
  package static func otherWeights(_ folder: String) -> ModelError? {
    let names = (try? FileSystem.names(in: folder)) ?? []
    if let name = names.sorted().first(where: { name in
      pickles.contains { name.hasSuffix($0) } && name != "training_args.bin"
    }) {
      return .unsupported(
        folder,
        "the weights are in PyTorch's pickle format (\(name.sanitized)), which runs code when it is read; save the model as safetensors with transformers (save_pretrained)"
      )
    }
    if names.contains("consolidated.safetensors") {
      return .unsupported(
        folder,
        "the weights are in Mistral's own layout (consolidated.safetensors); download the files model*.safetensors too, or convert them with transformers"
      )
    }
    return nil
  }

  /// The error for a folder without a config, or nil if nothing is known about it.
  private static func withoutConfig(_ folder: String) -> ModelError? {
    let adapter = "\(folder)/adapter_config.json"
    if FileSystem.exists(adapter) {
      let base = (try? JSONDocument(path: adapter))?.value["base_model_name_or_path"]?.text
      return .unsupported(
        folder,
        "is an adapter, not a model (adapter_config.json); merge it into its base model\(base.map { " '\($0.sanitized)'" } ?? "") first (peft's merge_and_unload)"
      )
    }
    if FileSystem.exists("\(folder)/params.json") {
      return .unsupported(
        folder,
        "is in Mistral's or Llama's own layout (params.json); use its version for transformers")
    }
    return nil
  }

  private static func beginsAsGGUF(_ path: String) -> Bool {
    guard (try? FileStatus(of: path, followingLinks: true).kind) == .file,
      let file = try? Descriptor(path: path, .read)
    else { return false }
    return (try? file.read(at: 0, count: GGUFHeader.magic.count)) == GGUFHeader.magic
  }

  /// Whether a file holds factors: a canonical file, or the table that a search writes.
  package static func isFactors(_ path: String) -> Bool {
    guard !FileSystem.isFolder(path) else { return false }
    if path.hasSuffix(".csv") { return true }
    return schema(path).map(DocumentSchema.factors.isOf) == true
  }

  /// The `schema` of a JSON document that lrpatch wrote, or nil for any other file.
  private static func schema(_ path: String) -> String? {
    guard path.hasSuffix(".json"), let document = try? JSONDocument(path: path, limit: 64 << 20),
      let schema = document.value["schema"]?.text, schema.hasPrefix(DocumentSchema.prefix)
    else { return nil }
    return schema
  }

  /// The error for a folder without a config, with the models in it.
  package static func folder(_ path: String) throws -> ModelError {
    if let known = withoutConfig(path) { return known }
    let names = try FileSystem.names(in: path).filter { $0.hasSuffix(".gguf") }.sorted()
    let folders = try FileSystem.names(in: path).filter {
      FileSystem.exists("\(path)/\($0)/\(ModelFolder.configName)")
    }.sorted()
    let models = (names + folders).map(\.sanitized)
    let more = models.count > 8 ? " and \(models.count - 8) more" : ""
    let list = models.prefix(8).joined(separator: ", ") + more
    return .unsupported(
      path,
      "not a model: the folder has no \(ModelFolder.configName)\(models.isEmpty ? "" : "; name one of the models in it: \(list)")"
    )
  }

  /// The error for a file that is not a GGUF model, or nil if it may be one.
  package static func file(_ path: String) -> ModelError? {
    let name = FileSystem.name(of: path)
    let folder = FileSystem.folder(of: path)
    if isFactors(path) {
      return .unsupported(path, "holds factors, where a model is expected")
    }
    if let schema = schema(path) {
      return .unsupported(path, "is a document of lrpatch (\(schema.sanitized)), not a model")
    }
    if name.hasSuffix(".json") || name.hasSuffix(".safetensors") {
      return .unsupported(
        path, "is a file of a model folder; name the folder '\(folder.sanitized)'")
    }
    if pickles.contains(where: { name.hasSuffix($0) }), !name.contains(".gguf"),
      !beginsAsGGUF(path)
    {
      return .unsupported(
        path,
        "is in PyTorch's pickle format, which runs code when it is read; save the model as safetensors with transformers (save_pretrained)"
      )
    }
    // model.gguf.part1of2, model.gguf-split-a, model.gguf.part-aa, model.gguf.00
    let piece = /(.*\.gguf)[.-](part|split)?[-_.]?[0-9a-z]+(of[0-9]+)?/.ignoresCase()
    guard let match = name.wholeMatch(of: piece) else { return nil }
    let whole = String(match.1).sanitized
    return .unsupported(
      path,
      "is a piece of a file that was cut for uploading; join all pieces in their order first: cat \(whole)?* > \(whole)"
    )
  }

  /// The error for a GGUF file that holds something else than a model, or nil for a model.
  static func contents(_ header: GGUFHeader, _ path: String) -> ModelError? {
    switch (header[key: "general.type"]?.text, header[key: "general.architecture"]?.text) {
    case ("imatrix", _):
      .unsupported(path, "is an importance matrix for llama-quantize, not a model")
    case ("adapter", _):
      .unsupported(
        path, "is an adapter, not a model; merge it into its base model first (llama-export-lora)")
    case ("mmproj", _), (_, "clip"):
      .unsupported(
        path,
        "is the vision or audio part of a multimodal model (mmproj); name the file of the language model"
      )
    default: nil
    }
  }
}
