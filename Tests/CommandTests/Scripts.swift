import Foundation
import TestSupport
import Testing

/// Expects documents to satisfy the schemas that they name.
func checkSchemas(_ paths: [String]) throws { try python("scripts/check-json.py", paths) }

/// Runs one of the repository's scripts.
func python(_ script: String, _ arguments: [String], input: String = "/dev/null") throws {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
  process.arguments = ["\(Fixture.root)/\(script)"] + arguments
  let pipe = Pipe()
  process.standardInput = FileHandle(forReadingAtPath: input)
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  #expect(process.terminationStatus == 0, "\(output)")
}
