package import Formats

/// A GGUF file with other keys, and the same tensors.
package enum EditedGGUF {
  /// - Parameters:
  ///   - path: the file to start from.
  ///   - set: keys that replace those of the same name, or are added.
  ///   - removed: the names of keys to leave out.
  package static func bytes(
    of path: String, setting set: [GGUFKey] = [], removing removed: [String] = []
  ) throws -> [UInt8] {
    let bytes = try FileSystem.contents(of: path)
    let old = try GGUFFile(path: path).header
    let names = Set(set.map(\.name)).union(removed)
    let keys = old.keys.filter { !names.contains($0.name) } + set
    let header = GGUFHeader(version: old.version, keys: keys, tensors: old.tensors)
    return header.encoded(arraysIn: bytes.span.bytes) + bytes[old.dataOffset...]
  }
}
