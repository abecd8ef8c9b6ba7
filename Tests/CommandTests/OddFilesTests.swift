import Formats
import Foundation
import TestSupport
import Testing

/// Pipes, sockets, devices, folders and dangling links in the places of files; two processes on one
/// model.
@Suite("Odd files") struct OddFilesTests {
  enum Kind: String, CaseIterable {
    case pipe, localSocket, device, folder, danglingLink

    /// Puts one at a path.
    func make(_ path: String) throws {
      switch self {
      case .pipe: #expect(mkfifo(path, 0o644) == 0)
      case .localSocket: try makeSocket(path)
      case .device:
        try FileManager.default.createSymbolicLink(
          atPath: path, withDestinationPath: "/dev/zero")
      case .folder: try FileSystem.createFolder(path)
      case .danglingLink:
        try FileManager.default.createSymbolicLink(
          atPath: path, withDestinationPath: "/nowhere/at/all")
      }
    }

    private func makeSocket(_ path: String) throws {
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let room = MemoryLayout.size(ofValue: address.sun_path)
      // The system limits the paths of sockets, so one is made under a short path and moved.
      let short = "/tmp/lrpatch-\(getpid()).socket"
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: short.utf8.prefix(room)) }
      let size = socklen_t(MemoryLayout<sockaddr_un>.size)
      let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
      }
      #expect(status == 0)
      try FileManager.default.moveItem(atPath: short, toPath: path)
    }
  }

  private static let factors = Fixture.path("architectures/llama.factors.json")
  private static let commands = [["inspect"], ["lint"], ["apply", factors], ["revert"], ["card"]]

  /// Runs a command that must answer, and not wait for a writer of a pipe.
  private func run(_ arguments: [String], in folder: String) throws -> Program.Result {
    let start = ContinuousClock.now
    let result = try Program.run(arguments, in: folder)
    #expect(!result.wasKilled && ContinuousClock.now - start < .seconds(10), "\(arguments)")
    return result
  }

  @Test(arguments: Kind.allCases) func noPathOfAModelOrDocumentIsReadUnlessItIsAFile(
    _ kind: Kind
  ) throws {
    let folder = try TemporaryDirectory()
    for name in ["odd.gguf", "odd.json"] { try kind.make("\(folder.path)/\(name)") }
    try folder.copy("architectures/llama", as: "model")
    let model = try snapshot("\(folder.path)/model")
    for arguments in Self.commands.map({ $0 + ["odd.gguf"] }) + [
      ["apply", "odd.json", "model"], ["factors", "show", "odd.json"], ["report", "odd.json"],
      ["search", "model", "--resume", "odd.json", "-o", "new.json"],
    ] {
      let result = try run(arguments, in: folder.path)
      #expect([3, 4, 5].contains(result.status), "\(arguments): \(result.errors)")
      #expect(result.errors.hasPrefix("error: odd."), "\(arguments): \(result.errors)")
    }
    #expect(try snapshot("\(folder.path)/model") == model)
  }

  @Test(
    arguments: Kind.allCases,
    [
      "config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors", "README.md",
      ".lrpatch", ".lrpatch-journal",
    ])
  func everyFileOfAFolderMayBeOdd(_ kind: Kind, _ name: String) throws {
    let folder = try TemporaryDirectory()
    let model = try folder.copy("architectures/llama", as: "model")
    try? FileSystem.removeTree("\(model)/\(name)")
    try kind.make("\(model)/\(name)")
    let odd = try FileStatus(of: "\(model)/\(name)", followingLinks: false).inode
    for arguments in Self.commands {
      let result = try run(arguments + ["model"], in: folder.path)
      #expect([0, 1, 3, 4, 5].contains(result.status), "\(arguments): \(result.errors)")
    }
    // A folder is where records belong.
    if name == ".lrpatch", kind == .folder { return }
    let left = try FileStatus(of: "\(model)/\(name)", followingLinks: false).inode
    #expect(left == odd, "the file was replaced")
  }

  /// Of two commands that change a model at once, each waits for the other, or says that it is there.
  @Test(arguments: ["model", "model.gguf"]) func twoCommandsChangeAModelOneAfterTheOther(
    _ name: String
  ) throws {
    let folder = try TemporaryDirectory.workbench()
    let before = try snapshot(folder.path)
    for command in [["apply", "factors.json", name], ["revert", name]] {
      let processes = try (0..<4).map { _ in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = command
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
      }
      for process in processes { process.waitUntilExit() }
      let codes = processes.map(\.terminationStatus).sorted()
      // Three is "nothing to revert".
      #expect(codes.contains(0) && codes.allSatisfy { [0, 3, 4].contains($0) }, "\(codes)")
    }
    #expect(try snapshot(folder.path) == before)
  }

  @Test func aModelThatVanishedIsNamed() throws {
    let folder = try TemporaryDirectory()
    for arguments in Self.commands {
      let result = try run(arguments + ["gone.gguf"], in: folder.path)
      #expect(result.status == 5 && result.errors.contains("gone.gguf"), "\(result.errors)")
    }
  }
}
