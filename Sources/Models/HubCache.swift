import Formats

/// Finds models in the local Hugging Face cache by their names on the Hub.
///
/// Nothing is downloaded.
///
/// Source: the cache layout of huggingface_hub. `models--ORG--NAME/refs/REVISION` holds the commit
/// hash that names the folder `snapshots/HASH`.
public enum HubCache {
  /// The path of a model or of one of its files.
  /// - Parameters:
  ///   - text: a path, or `org/name`, `org/name@revision`, or one of these followed by `/file`.
  ///   - environment: the environment of the process. HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME,
  ///     XDG_CACHE_HOME and HOME locate the cache.
  /// - Returns: `text` itself if it is an existing path, or if the cache does not have the model.
  public static func path(_ text: String, environment: [String: String]) -> String {
    guard !FileSystem.exists(text), let name = Name(text) else { return text }
    for cache in folders(environment) {
      let model = "\(cache)/models--\(name.organization)--\(name.model)"
      guard let snapshot = snapshot(of: model, name.revision) else { continue }
      let path = name.file.isEmpty ? snapshot : "\(snapshot)/\(name.file)"
      if FileSystem.exists(path) { return path }
    }
    return text
  }

  /// Whether a text has the form of a model's name on the Hub.
  public static func isName(_ text: String) -> Bool { Name(text) != nil }

  private struct Name {
    var organization: String
    var model: String
    var revision: String
    var file: String

    init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count >= 2 else { return nil }
      let second = parts[1].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      organization = parts[0]
      model = second[0]
      revision = second.count == 2 ? second[1] : "main"
      file = parts.dropFirst(2).joined(separator: "/")
      let names = [organization, model, revision] + parts.dropFirst(2)
      guard names.allSatisfy(Self.isComponent) else { return nil }
    }

    private static func isComponent(_ name: String) -> Bool {
      name != "." && name != ".." && name.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil
    }
  }

  /// Candidates for the cache folder, in the order of huggingface_hub.
  private static func folders(_ all: [String: String]) -> [String] {
    let environment = all.filter { !$0.value.isEmpty }
    for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"] {
      if let path = environment[name] { return [path] }
    }
    if let home = environment["HF_HOME"] { return ["\(home)/hub"] }
    if let cache = environment["XDG_CACHE_HOME"] { return ["\(cache)/huggingface/hub"] }
    return environment["HOME"].map { ["\($0)/.cache/huggingface/hub"] } ?? []
  }

  private static func snapshot(of model: String, _ revision: String) -> String? {
    if let bytes = try? FileSystem.contents(of: "\(model)/refs/\(revision)", limit: 256) {
      let hash = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
      guard hash.wholeMatch(of: /[0-9a-f]{7,64}/) != nil else { return nil }
      return "\(model)/snapshots/\(hash)"
    }
    // The revision may be a commit hash, or a prefix of exactly one.
    guard revision.count >= 7, let names = try? FileSystem.names(in: "\(model)/snapshots") else {
      return nil
    }
    let found = names.filter { $0.hasPrefix(revision) }
    return found.count == 1 ? "\(model)/snapshots/\(found[0])" : nil
  }
}
