import Formats
import Glibc

/// What the process has cost so far, for --verbose: wall time, peak memory, and bytes given to the file system.
enum ResourceUse {
  private static let start = ContinuousClock.now

  /// Starts the clock.
  static func begin() { _ = start }

  static var summary: String {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let (seconds, attoseconds) = start.duration(to: .now).components
    let milliseconds = Double(seconds) * 1e3 + Double(attoseconds / 1_000_000_000_000) / 1e3
    let written = counter("wchar").map { "\($0) bytes written" } ?? "bytes written unknown"
    return "\(milliseconds) ms, peak memory \(usage.ru_maxrss) KiB, \(written)"
  }

  /// A line of /proc/self/io.
  private static func counter(_ name: String) -> Int? {
    // The file has no size, so it is read piece by piece.
    guard let stream = unsafe fopen("/proc/self/io", "r") else { return nil }
    defer { unsafe fclose(stream) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, stream) }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    return text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
      .flatMap { Int($0.dropFirst(name.count + 2)) }
  }
}
