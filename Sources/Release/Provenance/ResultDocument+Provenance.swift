import Formats
public import Patch
public import Verify

extension ResultDocument.Provenance {
  /// Reads every file that goes into a measurement: what a runtime reads of the model, and the
  /// texts and factors that were given.
  /// - Parameters:
  ///   - inputs: paths of the given files; folders are left out.
  ///   - run: the command that measures.
  ///   - report: called with the share of the model's bytes that was read, from 0 to 1.
  /// - Throws: `FileError`; `ModelError` as `ModelManifest` does.
  public init(
    of session: borrowing ModelSession, inputs: [String], run: Run,
    report: (Double) -> Void = { _ in }
  ) throws {
    let manifest = try ModelManifest(session, .runtime, report: report)
    let inputs = try inputs.filter { !FileSystem.isFolder($0) }.map { path in
      FileDigest(
        name: path, size: try FileStatus(of: path, followingLinks: true).size,
        sha256: try sha256(file: path))
    }
    self.init(files: manifest.files, inputs: inputs, runs: [run])
  }
}
