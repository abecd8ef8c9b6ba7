import Formats
import Models
public import Patch

/// The file of a certificate, beside the model.
public enum CertificateFile {
  /// The path of a model's certificate: `certificate.intoto.json` in its folder, or next to a GGUF file
  /// after its name.
  /// - Throws: `FileError`.
  public static func path(of session: borrowing ModelSession) throws -> String {
    let name = Signatures.certificateName
    guard session.format == .gguf else { return "\(session.path)/\(name)" }
    return FileSystem.path(
      "\(try ModelManifest.name(of: session)).\(name)", in: FileSystem.folder(of: session.path))
  }

  /// Checks that a certificate can be written to a path.
  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything but an older certificate, is a
  ///   link, or lies in a Hub cache; `FileError`.
  public static func requireReplaceable(_ path: String) throws {
    try FileSafety.requireWritable(path, remedy: "name a new path with -o")
    guard FileSystem.exists(path) else { return }
    let bytes = try FileSystem.contents(of: path, limit: 1 << 30)
    let own = (try? JSONDocument(parsing: bytes))?.value["predicate"]?["lrpatch"]?["schema"]?.text
    guard bytes.isEmpty || own.map(DocumentSchema.certificate.isOf) == true else {
      throw ModelError.unsafe(
        path, "already exists and is not a certificate; name a new path with -o")
    }
  }

  /// Writes a certificate, or replaces an older one.
  /// - Throws: as `requireReplaceable` does.
  public static func write(_ certificate: Certificate, to path: String) throws {
    try requireReplaceable(path)
    try OutputFile.replace(path, by: JSONStyle.standard.encode(certificate.json) + [0x0A])
  }
}
