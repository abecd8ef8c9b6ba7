import Formats
import Foundation
import Models
import Patch
import TestSupport

extension FuzzTarget {
  /// The first bytes of a zstd frame.
  private static let frameMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  /// Those of a frame that a decoder skips.
  private static let skippableMagic: [UInt8] = [0x50, 0x2A, 0x4D, 0x18]

  static func readUndo(_ bytes: [UInt8]) throws(FuzzFinding) {
    let bench = FuzzBench.shared
    let record = bytes.starts(with: frameMagic) ? bytes : Zstd.compress(bytes, level: 1)
    for keepsEdits in [false, true] {
      bench.resetFolder()
      bench.put(record, "records/folder/.lrpatch/0001.undo")
      revert(bench.path("records/folder"), keepsEdits)
      bench.put(file(with: record), "records/m.gguf")
      revert(bench.path("records/m.gguf"), keepsEdits)
      try bench.requireOnlyModels()
    }
  }

  /// The patched file with another record, of the same size if it can be filled up: the digests in
  /// the record hold for an unchanged layout.
  private static func file(with record: [UInt8]) -> [UInt8] {
    var bytes = FuzzBench.shared.patched
    guard let old = try? GGUFHeader(parsing: bytes.rawSpan),
      let key = old.keys.first(where: { $0.name == UndoRecord.key })
    else { return bytes }
    let first = key.valueOffset + 12
    let rest = key.range.upperBound - first - record.count
    guard rest == 0 || rest >= 8 else {
      let keys = old.keys.map { $0 == key ? GGUFKey($0.name, .array(GGUFArray(record))) : $0 }
      let new = GGUFHeader(version: old.version, keys: keys, tensors: old.tensors)
      return new.encoded(arraysIn: bytes.rawSpan) + bytes[old.dataOffset...]
    }
    let filling = skippableMagic + GGUFBuilder.little(UInt32(max(0, rest - 8)))
    bytes.replaceSubrange(
      first..<key.range.upperBound,
      with: record + (filling + [UInt8](repeating: 0, count: rest)).prefix(rest))
    return bytes
  }

  private static func revert(_ path: String, _ keepsEdits: Bool) {
    guard let session = try? ModelSession(path: path, exclusive: true) else { return }
    var revert = Revert()
    revert.force = true
    revert.keepsEdits = keepsEdits
    _ = try? revert.perform(in: session)
  }

  /// A journal names a file by its inode, so that of the file here replaces the number 1.
  static func readJournal(_ bytes: [UInt8]) throws(FuzzFinding) {
    let bench = FuzzBench.shared
    bench.resetFolder()
    bench.put(bench.patched, "records/m.gguf")
    for (model, journal) in [
      ("records/folder", "records/folder/.lrpatch-journal"),
      ("records/m.gguf", "records/.m.gguf.lrpatch-journal"),
    ] {
      let inode = (try? FileStatus(of: bench.path(model), followingLinks: false).inode) ?? 0
      let text = Array(
        String(decoding: bytes, as: UTF8.self)
          .replacingOccurrences(of: "\"inode\":1,", with: "\"inode\":\(inode),")
          .replacingOccurrences(of: "\"inode\":1}", with: "\"inode\":\(inode)}").utf8)
      bench.put(text + Array("\n\(sha256(text))\n".utf8), journal)
      _ = try? ModelSession(path: bench.path(model), exclusive: true)
      bench.remove(journal)
      try bench.requireOnlyModels()
    }
  }
}
