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

  /// Every member under its path, without what only a run makes.
  private static func members(_ checkpoint: Checkpoint) throws -> [String: JSONValue] {
    var checkpoint = checkpoint
    checkpoint.state = nil
    checkpoint.unitsSHA256 = ""
    for index in checkpoint.texts.indices { checkpoint.texts[index].sha256 = "" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let value = try JSONDocument(parsing: Array(try encoder.encode(checkpoint))).value
    var found: [String: JSONValue] = [:]
    func add(_ value: JSONValue, _ path: String) {
      guard let members = value.members else { return found[path] = value }
      for member in members { add(member.value, path.isEmpty ? member.name : "\(path).\(member.name)") }
    }
    add(value, "")
    return found
  }
}
