import Formats
import Models

/// ik_llama.cpp, a fork that reads factors for Phi-3 only, and only without a type.
struct IkLlamaCpp: RuntimeReader {
  let runtime = Runtime.ikLlamaCpp
  let prefill = PrefillChunks(2048, option: "-b")

  private static let abort = "it aborts on the rope scaling type 'longrope'"

  func read(
    _ model: GGUFModel, patchedLike paper: RuntimeReading, _ factors: ModelFactors
  ) -> RuntimeReading {
    if model.architecture.gguf?.needsType == true {
      return .unsupported(runtime, Self.refusal(model.architecture) ?? Self.abort)
    }
    return refusal(model) ?? LlamaCpp.read(patchedLike: paper, factors, as: runtime)
  }

  private static func refusal(_ architecture: Architecture) -> String? {
    if case .refuses(let message)? = architecture.factorSupport[.ikLlamaCpp] {
      message
    } else {
      nil
    }
  }

  func read(_ config: FolderConfig) -> RuntimeReading {
    .readsFilesOnly(runtime)
  }

  func read(_ model: GGUFModel) -> RuntimeReading {
    let prefix = model.geometry.architecture
    let type = model.first.header[key: "\(prefix).\(GGUFRopeName.type)"]?.text ?? "linear"
    if let refusal = Self.refusal(model.architecture) { return .unsupported(runtime, refusal) }
    if type == "longrope" { return .unsupported(runtime, Self.abort) }
    guard model.longFactors != nil || model.shortFactors != nil else {
      return .followedOnlyWithFactors(runtime)
    }
    return refusal(model) ?? LlamaCpp.read(model, as: runtime)
  }

  /// What keeps it from running a model with factors, or nil if nothing does.
  private func refusal(_ model: GGUFModel) -> RuntimeReading? {
    if let refusal = Self.refusal(model.architecture) { return .unsupported(runtime, refusal) }
    guard model.architecture.factorSupport[runtime] == .computes else {
      return .unsupported(
        runtime, "wrong number of tensors: it accepts factor tensors of Phi-3 only")
    }
    // It does not tie the output matrix to the embeddings.
    let output = model.architecture.tensorName(.output, in: .gguf)
    guard model.shards.contains(where: { $0.header.tensors.contains { $0.name == output } }) else {
      return .unsupported(runtime, "check_tensor_dims: tensor '\(output)' not found")
    }
    if let head = Self.head(model), head != model.geometry.rotaryDimensions {
      return .unsupported(
        runtime,
        "the factor tensors have \(model.geometry.rotaryDimensions / 2) values, but it expects half of the head, \(head / 2)"
      )
    }
    return nil
  }

  /// The hidden size divided by the number of heads.
  private static func head(_ model: GGUFModel) -> Int? {
    let prefix = model.geometry.architecture
    guard let width = model.first.header[key: "\(prefix).embedding_length"]?.integer,
      let heads = model.first.header[key: "\(prefix).attention.head_count"]?.integer, heads > 0
    else { return nil }
    return width / heads
  }

  func serving(window: Int, model: String) -> String { "llama-server -m \(model) -c \(window)" }
}
