import Formats

/// Signatures and lists of sums beside a model, which hold for its bytes as they are.
public enum Signatures {
  private static let names: Set<String> = [
    "model.sig", "claims.jsonl", "SHA256SUMS", "SHA512SUMS", "sha256sum.txt", "model.intoto.json",
  ]
  private static let suffixes = [
    ".sig", ".sigstore", ".sigstore.json", ".asc", ".minisig", ".intoto.json", ".intoto.jsonl", ".SHA256SUMS",
    ".sha256",
  ]

  /// Names in the folder of the model, sorted.
  public static func names(beside session: borrowing ModelSession) -> [String] {
    let isFolder = session.kind == .folder
    let folder = isFolder ? session.path : FileSystem.folder(of: session.path)
    let stem = FileSystem.name(of: session.path).split(separator: ".gguf").first.map(String.init) ?? ""
    return ((try? FileSystem.names(in: folder)) ?? []).filter { name in
      names.contains(name)
        || suffixes.contains { name.hasSuffix($0) } && (isFolder || name.hasPrefix(stem))
    }
  }

  /// What is to be said of them before the model changes.
  public static func remarks(beside session: borrowing ModelSession) -> [String] {
    names(beside: session).map {
      "\($0.sanitized) signs or lists the files as they are and will not hold after this change; make it anew"
    }
  }
}
