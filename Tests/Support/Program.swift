import Foundation

/// The real program, run as a process.
package enum Program {
  package struct Result: Sendable {
    package var status: Int32
    package var wasKilled: Bool
    package var output: String
    package var errors: String
  }

  /// The path of the program: LRPATCH_PROGRAM (the release build), else the build next to the
  /// tests.
  package static let path: String = {
    if let named = ProcessInfo.processInfo.environment["LRPATCH_PROGRAM"] { return named }
    return URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("lrpatch").path
  }()

  package static func run(
    _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    let scratch = try TemporaryDirectory()
    let outputPath = try scratch.write("output", "")
    let errorPath = try scratch.write("errors", "")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: outputPath)
    process.standardError = FileHandle(forWritingAtPath: errorPath)
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      wasKilled: process.terminationReason == .uncaughtSignal,
      output: try String(contentsOfFile: outputPath, encoding: .utf8),
      errors: try String(contentsOfFile: errorPath, encoding: .utf8))
  }
}
