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

  /// What is about to change.
  public enum Change: Sendable {
    /// The model's own files.
    case model
    /// The card beside it, which no signature of a single file covers.
    case card
  }

  /// Names in the folder of the model of what will not hold after a change, sorted.
  public static func names(beside session: borrowing ModelSession, _ change: Change = .model) -> [String] {
    let isFolder = session.kind == .folder
    let folder = isFolder ? session.path : FileSystem.folder(of: session.path)
    let name = GGUFSplit(containing: session.path)?.prefix ?? FileSystem.name(of: session.path)
    return ((try? FileSystem.names(in: folder)) ?? []).filter { other in
      names.contains(other)
        || suffixes.contains { other.hasSuffix($0) }
          && (isFolder
            || change == .model && (other.hasPrefix(name) || other.hasPrefix(name.replacing(".gguf", with: "."))))
    }
  }

  /// What is to be said of them before the change.
  public static func remarks(beside session: borrowing ModelSession, _ change: Change = .model) -> [String] {
    names(beside: session, change).map {
      "\($0.sanitized) signs or lists the files as they are and will not hold after this change; make it anew"
    }
  }
}
