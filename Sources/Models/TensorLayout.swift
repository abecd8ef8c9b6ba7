/// How a folder names the tensors of the language model, whose records have Llama's names.
///
/// Trunks that were saved without a head have no `model.`, and multimodal models put the language
/// model under another prefix. transformers and llama.cpp's converter know these layouts.
struct TensorLayout: Sendable {
  /// The prefix of the trunk's tensors in the folder instead of `model.`.
  var trunk: String
  /// The prefix of the output matrix in the folder instead of none.
  var head: String

  /// Llama's names.
  private static let plain = TensorLayout(trunk: "model.", head: "")
  /// The layouts in the order in which they are tried.
  private static let all = [
    plain,
    // Multimodal models of transformers 5 and 4.
    TensorLayout(trunk: "model.language_model.", head: ""),
    TensorLayout(trunk: "language_model.model.", head: "language_model."),
    TensorLayout(trunk: "model.text_model.", head: ""),
    // MiniCPM-V.
    TensorLayout(trunk: "llm.model.", head: "llm."),
    TensorLayout(trunk: "language_model.", head: ""),
    // A trunk by itself, such as `LlamaModel`.
    TensorLayout(trunk: "", head: ""),
  ]

  /// The layout of a folder.
  /// - Parameters:
  ///   - embedding: the name of the embedding in Llama's layout.
  ///   - isMultimodal: whether the config is that of a multimodal model. In any other one,
  ///     transformers would not find tensors under the prefix of a part.
  static func of(
    _ names: Set<String>, embedding: String, isMultimodal: Bool
  ) -> TensorLayout {
    let stem = embedding.dropFirst(plain.trunk.count)
    return all.first { (isMultimodal || !$0.isPart) && names.contains($0.trunk + stem) } ?? plain
  }

  /// Whether the language model is a part of a larger model.
  var isPart: Bool { !["model.", ""].contains(trunk) }

  /// The name in Llama's layout, or nil for a tensor of another part of the model.
  func plainName(_ name: String) -> String? {
    if name.hasPrefix(head + "lm_head.") { return String(name.dropFirst(head.count)) }
    guard name.hasPrefix(trunk) else { return isPart ? nil : name }
    return Self.plain.trunk + name.dropFirst(trunk.count)
  }
}
