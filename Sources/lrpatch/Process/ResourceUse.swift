import Formats
import Glibc

/// What the process has cost so far, for --verbose: wall time, peak memory, and bytes written.
enum ResourceUse {
  private static let start = ContinuousClock.now

  /// Starts the clock.
  static func begin() { _ = start }

  static var summary: String {
    let (seconds, attoseconds) = start.duration(to: .now).components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    let written =
      number("wchar", in: "/proc/self/io").map { "\($0) bytes written" } ?? "bytes written unknown"
    return
      "\(milliseconds) ms, peak memory \(number("VmHWM", in: "/proc/self/status") ?? 0) KiB, \(written)"
  }

  /// The memory available without swapping, in bytes, or nil if the system does not report it.
  static var availableMemory: Int? { number("MemAvailable", in: "/proc/meminfo").map { $0 * 1024 } }

  /// The number after a name in a file of the system.
  private static func number(_ name: String, in path: String) -> Int? {
    // The file has no size, so it is read piece by piece.
    guard let stream = unsafe fopen(path, "r") else { return nil }
    defer { unsafe fclose(stream) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe fread($0.baseAddress, 1, $0.count, stream)
    }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line.flatMap { Int($0.dropFirst(name.count + 1).filter(\.isNumber)) }
  }
}
