/// A folder that appears under its name only when it is complete.
public enum OutputFolder {
  /// Fills a folder under a temporary name, and renames it when `fill` returns.
  /// - Parameter commit: runs its argument, which makes the folder appear, without an interruption.
  /// - Throws: `FileError` with EEXIST if the name is taken; what `fill` throws, with nothing left
  ///   behind.
  public static func create(
    _ output: String, commit: (() throws -> Void) throws -> Void = { try $0() },
    _ fill: (String) throws -> Void
  ) throws {
    let temporary = OutputFile.temporaryPath(for: output)
    TemporaryFiles.shared.insert(temporary)
    defer { TemporaryFiles.shared.remove(temporary) }
    do { try FileSystem.createFolder(temporary) } catch {
      throw FileError("create", output, code: error.code)
    }
    do {
      try fill(temporary)
      try FileSystem.syncFolders(below: temporary)
      try commit { try FileSystem.rename(temporary, to: output, replacing: false) }
    } catch {
      try? FileSystem.removeTree(temporary)
      throw error
    }
    try FileSystem.syncFolder(FileSystem.folder(of: output))
  }
}
