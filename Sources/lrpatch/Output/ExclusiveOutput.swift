import Formats
import Models
import Patch

/// Writes files that must not exist yet.
enum ExclusiveOutput {
  static func write(_ bytes: [UInt8], to path: String) throws {
    guard !FileSystem.exists(path) else {
      throw ModelError.unsafe(path, "already exists; name a new path")
    }
    let file = try OutputFile(path: path)
    try file.descriptor.write(bytes, at: 0)
    try file.commit(replacing: false)
  }
}
