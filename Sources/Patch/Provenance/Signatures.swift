import Formats
import Models

/// Signatures and checksum lists next to a model, which a change of the model makes invalid.
public enum Signatures {
  private static let names: Set<String> = [
    "model.sig", "claims.jsonl", "SHA256SUMS", "SHA512SUMS", "sha256sum.txt", "model.intoto.json",
  ]
  private static let suffixes = [
    ".sig", ".sigstore", ".sigstore.json", ".asc", ".minisig", ".intoto.json", ".intoto.jsonl",
    ".SHA256SUMS", ".sha256",
  ]

  /// The name of a certificate in a model's folder, and the end of its name next to a GGUF file.
  ///
  /// It is about the files that a runtime reads, so a card may change.
  public static let certificateName = "certificate.intoto.json"

  /// The kind of a change.
  public enum Change: Sendable {
    /// The files of the model change.
    case model
    /// The model card changes. Signatures of single files stay valid.
    case card
  }

  /// The sorted names of the files that become invalid with a change.
  public static func names(
    beside session: borrowing ModelSession, _ change: Change = .model
  ) -> [String] {
    let isFolder = session.format == .folder
    let folder = isFolder ? session.path : FileSystem.folder(of: session.path)
    let name = GGUFSplit(containing: session.path)?.prefix ?? FileSystem.name(of: session.path)
    return ((try? FileSystem.names(in: folder)) ?? []).filter { other in
      if change == .card, other.hasSuffix(certificateName) { return false }
      return names.contains(other)
        || suffixes.contains { other.hasSuffix($0) }
          && (isFolder
            || change == .model
              && (other.hasPrefix(name) || other.hasPrefix(name.replacing(".gguf", with: "."))))
    }
  }

  /// A warning for each of these files, to be shown before the change.
  public static func remarks(
    beside session: borrowing ModelSession, _ change: Change = .model
  ) -> [String] {
    names(beside: session, change).map {
      "\($0.sanitized) signs or lists the current files and will be invalid after this change; create it again"
    }
  }
}
