import ArgumentParser
import Formats
import Foundation
import Patch
import Search

/// Settings that are given beside --resume, which goes on with those of its checkpoint.
struct SearchResume {
  let saved: Checkpoint

  /// Names of settings that are neither the defaults nor those that were saved.
  /// - Parameters:
  ///   - given: what the options would begin a new search with.
  ///   - plain: the same without options; nil where no search begins so.
  func conflicts(given: Checkpoint, plain: Checkpoint?) throws -> [String] {
    let (given, saved) = (try Self.members(given), try Self.members(self.saved))
    let plain = try plain.map(Self.members) ?? [:]
    return given.keys.sorted().filter { name in given[name] != plain[name] && given[name] != saved[name] }
  }

  /// The members of a checkpoint's members, without what only a run makes.
  private static func members(_ checkpoint: Checkpoint) throws -> [String: JSONValue] {
    var checkpoint = checkpoint
    checkpoint.state = nil
    checkpoint.unitsSHA256 = ""
    for index in checkpoint.texts.indices { checkpoint.texts[index].sha256 = "" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let value = try JSONDocument(parsing: Array(try encoder.encode(checkpoint))).value
    var found: [String: JSONValue] = [:]
    for member in value.members ?? [] {
      guard let inner = member.value.members else {
        found[member.name] = member.value
        continue
      }
      for part in inner { found["\(member.name).\(part.name)"] = part.value }
    }
    return found
  }
}
