/// A folder that appears under its name only when it is complete.
public enum OutputFolder {
  /// Fills a folder under a temporary name and gives it its own when `fill` returns.
  /// - Throws: `FileError` with EEXIST where the name is taken; what `fill` throws, with nothing left behind.
  /// - Parameter commit: is given what makes the folder appear, to run it without an interruption.
  public static func create(
    _ output: String, commit: (() throws -> Void) throws -> Void = { try $0() }, _ fill: (String) throws -> Void
  ) throws {
    let temporary = OutputFile.temporaryPath(for: output)
    TemporaryFiles.shared.insert(temporary)
    defer { TemporaryFiles.shared.remove(temporary) }
    do { try FileSystem.createFolder(temporary) } catch {
      throw FileError("create", output, code: error.code)
    }
    do {
      try fill(temporary)
      try FileSystem.syncFolder(temporary)
      try commit { try FileSystem.rename(temporary, to: output, replacing: false) }
    } catch {
      try? FileSystem.removeTree(temporary)
      throw error
    }
    try FileSystem.syncFolder(FileSystem.folder(of: output))
  }
}
