import Formats
import Foundation
import Glibc
import Synchronization

/// Where text goes: results to stdout, everything else to stderr.
enum Output {
  static func result(_ text: String) { write(Array(text.utf8) + [0x0A], to: STDOUT_FILENO) }

  static func note(_ text: String) { write(Array(text.utf8) + [0x0A], to: STDERR_FILENO) }

  /// Writes text to stderr as it is.
  static func raw(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

  /// Writes the bytes of a file to stdout as they are.
  static func raw(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

  /// Writes one JSON document to stdout.
  static func json(_ value: JSONValue) {
    printedJSON.withLock { $0 = true }
    result(String(decoding: JSONStyle.standard.encode(value), as: UTF8.self))
  }

  /// Whether a JSON document was written to stdout.
  static var hasJSON: Bool { printedJSON.withLock { $0 } }
  private static let printedJSON = Mutex(false)

  /// Whether some text could not be written.
  ///
  /// A reader that has gone (`lrpatch ... | head`) does not count.
  static var hasLostText: Bool { lostText.withLock { $0 } }
  private static let lostText = Mutex(false)

  /// Columns of the terminal on stderr, or nil if stderr is not a terminal.
  static var errorColumns: Int? { columns(of: STDERR_FILENO) }

  /// The columns for which the parser writes its help.
  static var helpColumns: Int {
    let named = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }
    return named ?? columns(of: STDOUT_FILENO) ?? 80
  }

  private static func columns(of stream: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(stream, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  private static func write(_ bytes: [UInt8], to stream: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(stream, $0.baseAddress, $0.count)
      }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        if errno != EPIPE { lostText.withLock { $0 = true } }
        return
      }
      rest = rest.dropFirst(written)
    }
  }
}
