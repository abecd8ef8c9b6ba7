/// The formats of a model on disk.
public enum ModelFormat: String, Sendable {
  /// A Hugging Face folder: config.json, safetensors, tokenizer.json.
  case folder = "huggingface"
  /// A GGUF file, or all shards of a split model.
  case gguf
}
