import Formats
import Foundation
import TestSupport
import Testing

/// Kills the program, or fills its disk, at every system call that changes files.
///
/// Afterwards the model is the old one or the new one, or the next command restores it.
@Suite("Fault injection", .serialized) struct FaultInjectionTests {
  enum Model: String, CaseIterable, CustomTestStringConvertible {
    case folder, gguf, split
    var testDescription: String { rawValue }

    func place(in folder: TemporaryDirectory) throws -> String {
      switch self {
      case .folder: try folder.copy("models/needle-256-x4", as: "m/model")
      case .gguf: try folder.copy("models/needle-256-x4.gguf", as: "m/model.gguf")
      case .split:
        try folder.copy("models/needle-256-x4-split", as: "m/split")
          + "/needle-256-x4-00001-of-00003.gguf"
      }
    }
  }

  enum Fault: String, CaseIterable { case kill, torn, full }

  static let factors = Fixture.path("models/needle-256-x4.factors.json")

  /// The preloaded library, built once.
  static let library: Result<String, any Error> = Result {
    let folder =
      NSTemporaryDirectory() + "lrpatch-faults-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let source = Fixture.root + "/Tests/Faults/faults.c"
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [
      "cc", "-shared", "-fPIC", "-O1", "-o", "\(folder)/faults.so", source, "-ldl",
    ]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    return "\(folder)/faults.so"
  }

  /// Every fault, on every model, for both commands, with and without block insertion.
  @Test(arguments: Model.allCases, ["apply", "revert"])
  func leavesTheModelOldNewOrRestorable(_ model: Model, _ command: String) throws {
    for cannotInsert in model == .folder ? [false] : [false, true] {
      for fault in Fault.allCases {
        try inject(fault, into: command, on: model, cannotInsert: cannotInsert)
      }
    }
  }

  /// A conversion does not change the model.
  ///
  /// Its output is complete or absent, whatever happens.
  @Test(arguments: ["out", "out.gguf"], Fault.allCases)
  func makesAWholeModelOrNone(_ name: String, _ fault: Fault) throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4", as: "m/model")
    let output = "\(folder.path)/m/\(name)"
    let environment = ["LD_PRELOAD": try Self.library.get(), "FAULT_MODE": fault.rawValue]
    func convert(_ more: [String: String] = [:]) throws -> Program.Result {
      try Program.run(
        [
          "convert", model, "-o", output, "--type", "f16", "--max-shard-size", "700K", "--threads",
          "1", "-q",
        ],
        environment: more.isEmpty ? [:] : environment.merging(more) { $1 })
    }
    let old = try snapshot("\(folder.path)/m")
    let countPath = "\(folder.path)/count"
    #expect(try convert(["FAULT_COUNT": countPath]).status == 0)
    let calls = try #require(Int(try String(contentsOfFile: countPath, encoding: .utf8)))
    let new = try snapshot("\(folder.path)/m")
    func removeOutput() throws {
      for name in try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/m")
      where name != "model" {
        try FileManager.default.removeItem(atPath: "\(folder.path)/m/\(name)")
      }
    }
    try removeOutput()
    // The many writes in the middle are alike, so only some of them are tested.
    for call in 1...calls where call < 8 || call > calls - 16 || call % 5 == 0 {
      let place = "\(name) \(fault) at call \(call) of \(calls)"
      let struck = try convert(["FAULT_AT": "\(call)"])
      if fault == .full {
        #expect(
          [0, 5].contains(struck.status) && !struck.wasKilled,
          "\(place): \(struck.status) \(struck.errors)")
      } else {
        #expect(struck.wasKilled, "\(place)")
      }
      var after = try snapshot("\(folder.path)/m")
      if fault != .full { after = withoutTemporaries(after) }
      // The shards of a GGUF file appear one after another; the one with the keys is last.
      let isPart =
        name == "out.gguf" && fault != .full && after.allSatisfy { new[$0.key] == $0.value }
      #expect(after == old || after == new || isPart, "\(place): \(difference(after, old))")
      try removeDone(after, folder)
      // The next conversion deletes what a kill left.
      #expect(try convert().status == 0, "\(place)")
      #expect(try snapshot("\(folder.path)/m") == new, "\(place)")
      try removeOutput()
    }
  }

  /// A conversion undoes an interrupted change before it reads the model.
  @Test(arguments: [6, 10]) func convertsARestoredModel(_ call: Int) throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("models/needle-256-x4.gguf", as: "m.gguf")
    let environment = [
      "LD_PRELOAD": try Self.library.get(), "FAULT_MODE": "kill", "FAULT_AT": "\(call)",
    ]
    #expect(try Program.run(["apply", Self.factors, model], environment: environment).wasKilled)
    let result = try Program.run(["convert", model, "-o", "\(folder.path)/out.gguf"])
    #expect(result.status == 0 && result.errors.contains("interrupted"), "\(result.errors)")
    #expect(
      try Program.run(["diff", model, Fixture.path("models/needle-256-x4.gguf")]).status == 0)
    #expect(try Program.run(["diff", "\(folder.path)/out.gguf", model]).status == 0)
  }

  /// A power loss may leave a file of which only a part has moved.
  ///
  /// The size is then that of the edited file, as if all had moved. Recovery would remove blocks at
  /// the wrong place, and say that all is well.
  @Test(arguments: ["apply", "revert"], [28672, 1_048_576, 1_867_776])
  func restoresAFileOfWhichAPartHasMoved(_ command: String, _ gap: Int) throws {
    let victim = try prepare(.gguf, for: command)
    let path = victim.path
    let old = try snapshot("\(victim.folder.path)/m")
    // The journal is written, synced, named and the name synced; a revert then cuts the file.
    let call = command == "apply" ? "5" : "6"
    let environment = [
      "LD_PRELOAD": try Self.library.get(), "FAULT_MODE": "kill", "FAULT_AT": call,
    ]
    #expect(try run(command, path, environment).wasKilled)
    do {
      let file = try Descriptor(path: path, .edit)
      let block = try file.status().blockSize
      guard block == 4096 else { return }
      // Where the edit of this file inserts and removes a block of this size.
      if command == "revert" { try file.collapseRange(at: 24576, count: block) }
      try file.insertRange(at: gap, count: block)
      try file.sync()
    } catch {
      guard error.isUnsupported else { throw error }
      return
    }
    let result = try Program.run(["inspect", path, "--json"])
    #expect(result.status == 0 && result.errors.contains("restored"), "\(result.errors)")
    #expect(try snapshot("\(victim.folder.path)/m") == old)
  }

  /// Removes complete output files, which would block the next conversion.
  private func removeDone(_ files: [String: [UInt8]], _ folder: TemporaryDirectory) throws {
    for name in Set(files.keys.map { String($0.prefix { $0 != "/" }) }) where name != "model" {
      try FileManager.default.removeItem(atPath: "\(folder.path)/m/\(name)")
    }
  }

  private func inject(_ fault: Fault, into command: String, on model: Model, cannotInsert: Bool)
    throws
  {
    var environment = ["LD_PRELOAD": try Self.library.get(), "FAULT_MODE": fault.rawValue]
    if cannotInsert { environment["FAULT_NO_INSERT"] = "1" }

    // The old and the new bytes, and the number of calls from one to the other.
    let reference = try prepare(model, for: command)
    let countPath = "\(reference.folder.path)/count"
    let whole = try run(
      command, reference.path, environment.merging(["FAULT_COUNT": countPath]) { $1 })
    #expect(whole.status == 0, "\(whole.errors)")
    let calls = try #require(Int(try String(contentsOfFile: countPath, encoding: .utf8)))
    #expect(calls >= 5)
    let new = try snapshot("\(reference.folder.path)/m")

    for call in 1...calls {
      let place =
        "\(model) \(command) \(fault) at call \(call) of \(calls), insert \(!cannotInsert)"
      let victim = try prepare(model, for: command)
      let old = try snapshot("\(victim.folder.path)/m")
      let struck = try run(
        command, victim.path, environment.merging(["FAULT_AT": "\(call)"]) { $1 })
      if fault == .full {
        #expect(!struck.wasKilled, "\(place)")
        #expect([0, 5].contains(struck.status), "\(place): \(struck.status) \(struck.errors)")
      } else {
        #expect(struck.wasKilled, "\(place)")
      }
      let next = try Program.run(["inspect", victim.path, "--json"])
      let healed =
        try next.status == 0 || !fault.keepsAName(victim.path)
        ? next : Program.run(["revert", victim.path])
      #expect(healed.status == 0, "\(place): \(next.errors) \(healed.errors)")
      // The next command that changes the model deletes abandoned temporary files.
      _ = try Program.run(["apply", "--check", Self.factors, victim.path])
      let after = try withoutTemporaries(snapshot("\(victim.folder.path)/m"))
      #expect(after == old || after == new, "\(place): \(difference(after, old))")
    }
  }

  private struct Victim {
    let folder: TemporaryDirectory
    let path: String
  }

  private func prepare(_ model: Model, for command: String) throws -> Victim {
    let folder = try TemporaryDirectory()
    try folder.write("m/.keep", "")
    let path = try model.place(in: folder)
    if command == "revert" {
      let applied = try Program.run(["apply", Self.factors, path])
      #expect(applied.status == 0)
    }
    return Victim(folder: folder, path: path)
  }

  private func run(_ command: String, _ path: String, _ environment: [String: String]) throws
    -> Program.Result
  {
    let arguments = command == "apply" ? ["apply", Self.factors, path] : ["revert", path]
    return try Program.run(arguments, environment: environment)
  }

  private func withoutTemporaries(_ files: [String: [UInt8]]) -> [String: [UInt8]] {
    files.filter { !$0.key.contains(".lrpatch-tmp-") }
  }

  private func difference(_ left: [String: [UInt8]], _ right: [String: [UInt8]]) -> [String] {
    Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.sorted()
  }
}

extension FaultInjectionTests.Fault {
  /// During a swap the model's name is absent for a moment; `revert` restores the model then too.
  fileprivate func keepsAName(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }
}
