import Formats
import Models
public import Patch

/// The files that vouch for a model's bytes: SHA256SUMS, for `sha256sum -c`, an in-toto statement to
/// be signed, and if it is wanted a CycloneDX bill of materials.
public struct ProvenanceFiles: Sendable {
  /// The path of the sums.
  public let sums: String
  /// The path of the statement.
  public let statement: String
  /// The path of the bill of materials.
  public let bill: String
  private let folder: String
  private let ignored: Set<String>

  /// Chooses the paths of the files.
  ///
  /// None has to exist yet.
  /// - Parameter folder: the folder of the files; nil for the model's own folder.
  /// - Throws: `FileError`.
  public init(of session: borrowing ModelSession, in folder: String? = nil) throws {
    let isFolder = session.format == .folder
    let own = isFolder ? session.path : FileSystem.folder(of: session.path)
    let prefix = isFolder ? "" : "\(try ModelManifest.name(of: session))."
    let stem = isFolder ? "model." : prefix
    let names = (
      sums: "\(prefix)SHA256SUMS", statement: "\(stem)intoto.json", bill: "\(stem)cdx.json"
    )
    ignored = isFolder ? [names.sums, names.statement, names.bill, "model.sig"] : []
    self.folder = folder ?? own
    sums = FileSystem.path(names.sums, in: self.folder)
    statement = FileSystem.path(names.statement, in: self.folder)
    bill = FileSystem.path(names.bill, in: self.folder)
  }

  /// Lists the model's files and writes the files that vouch for them, or replaces older ones.
  /// - Parameters:
  ///   - withBill: whether the bill of materials is one of them.
  ///   - report: called with the share of all bytes that was read, from 0 to 1.
  /// - Throws: `ModelError` of kind `unsafe` if the folder is in a Hub cache or inside the model's,
  ///   or if files of others are there; `FormatError` for a damaged GGUF file; `FileError`.
  public func write(
    for session: borrowing ModelSession, withBill: Bool = false,
    report: (Double) -> Void = { _ in }
  ) throws -> ModelManifest {
    try FileSafety.requireOutsideHubCache(folder, remedy: Self.remedy)
    try requireNotInside(session)
    try requireOwn()
    if withBill { try requireOwnBill() }
    // What a killed command left is not part of the model.
    if session.format == .folder { try OutputFile.removeAbandoned(in: session.path) { _ in true } }
    let manifest = try manifest(session, report)
    try FileSystem.createLastFolder(folder)
    let inspection = try? Inspection(session)
    let document = SigningStatement(
      manifest, ignoring: ignored, knowledge: Self.knowledge(inspection))
    if withBill {
      let document = BillOfMaterials(manifest, inspection).json
      try OutputFile.replace(bill, by: JSONStyle.standard.encode(document) + [0x0A])
    }
    // The statement first: without it, sums would be taken for somebody else's.
    try OutputFile.replace(statement, by: JSONStyle.standard.encode(document.json) + [0x0A])
    try OutputFile.replace(sums, by: Array(manifest.sums.utf8))
    return manifest
  }

  /// Compares the model's files with the sums that are there.
  /// - Parameter report: called with the share of all bytes that was read, from 0 to 1.
  /// - Returns: the files as they are now, and one line for each difference.
  /// - Throws: `ModelError` for sums that cannot be read; `FormatError`; `FileError`.
  public func check(
    _ session: borrowing ModelSession, report: (Double) -> Void = { _ in }
  ) throws -> (manifest: ModelManifest, differences: [String]) {
    guard FileSystem.exists(sums) else {
      // The code of a missing file.
      throw FileError(
        "open the sums, which lrpatch provenance makes without --check", sums, code: 2)
    }
    let manifest = try manifest(session, report)
    let saved = try FileSystem.contents(of: sums, limit: 64 << 20)
    return (manifest, try manifest.differences(from: saved, sums))
  }

  private func manifest(
    _ session: borrowing ModelSession, _ report: (Double) -> Void
  ) throws -> ModelManifest {
    // A file that is not GGUF is found before it is read whole.
    if session.format == .gguf {
      for path in try GGUFModel.shardPaths(of: session.path) { _ = try GGUFFile(path: path) }
    }
    return try ModelManifest(session, .everything, ignoring: ignored, report: report)
  }

  // MARK: Safety

  private static let remedy = "name another folder with -o"

  /// - Throws: `ModelError` of kind `unsafe` for a folder inside the model's, whose files would be
  ///   listed themselves.
  private func requireNotInside(_ session: borrowing ModelSession) throws {
    guard session.format == .folder else { return }
    let model = try FileSystem.resolved(session.path)
    let place =
      FileSystem.exists(folder) ? try FileSystem.resolved(folder) : FileSystem.canonical(folder)
    guard place == model || !place.hasPrefix(model + "/") else {
      throw ModelError.unsafe(
        folder, "is inside the model's folder, which is listed whole; name one outside, or none")
    }
  }

  /// - Throws: `ModelError` of kind `unsafe` if anything but older files of this program is there.
  ///   The statement says that it is one, and vouches for the sums next to it.
  private func requireOwn() throws {
    for path in [sums, statement] { try FileSafety.requireWritable(path, remedy: Self.remedy) }
    let hasStatement = FileSystem.exists(statement)
    let isOwn: Bool
    if hasStatement {
      let bytes = try FileSystem.contents(of: statement, limit: 64 << 20)
      isOwn = (try? JSONDocument(parsing: bytes))?.value["predicate"]?["lrpatch"] != nil
    } else {
      isOwn = !FileSystem.exists(sums)
    }
    if isOwn, FileSystem.exists(sums), try !ModelManifest.areSums(at: sums) {
      throw ModelError.unsafe(sums, "already exists and does not hold sums; \(Self.remedy)")
    }
    guard isOwn else {
      throw ModelError.unsafe(
        hasStatement ? statement : sums,
        "already exists and was not written by lrpatch; \(Self.remedy)")
    }
  }

  /// - Throws: `ModelError` of kind `unsafe` if anything but an older bill of this program is there.
  private func requireOwnBill() throws {
    try FileSafety.requireWritable(bill, remedy: Self.remedy)
    guard FileSystem.exists(bill) else { return }
    let bytes = try FileSystem.contents(of: bill, limit: 64 << 20)
    guard let document = try? JSONDocument(parsing: bytes), BillOfMaterials.isOwn(document.value)
    else {
      throw ModelError.unsafe(bill, "already exists and was not written by lrpatch; \(Self.remedy)")
    }
  }

  // MARK: What the model says about its patch

  private static func knowledge(_ inspection: Inspection?) -> JSONValue {
    var members = [JSONMember("version", .string(lrpatchVersion))]
    guard let inspection else { return .object(members) }
    members += [
      JSONMember("original_window", .number(inspection.geometry.originalWindow)),
      JSONMember("window", .number(inspection.geometry.window)),
    ]
    if let hash = inspection.mark["factors_sha256"] {
      members.append(JSONMember("factors_sha256", .string(hash)))
    }
    if let factors = inspection.factors {
      members.append(JSONMember("mscale", .number(factors.longMscale)))
    }
    return .object(members)
  }
}
