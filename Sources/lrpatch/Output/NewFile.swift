import Formats
import Patch

/// A file that must not be there yet.
enum NewFile {
  static func write(_ bytes: [UInt8], to path: String) throws {
    guard !FileSystem.exists(path) else { throw PatchError.unsafe(path, "exists already; name a new path") }
    let file = try OutputFile(path: path)
    try file.descriptor.write(bytes, at: 0)
    try file.commit(replacing: false)
  }
}
