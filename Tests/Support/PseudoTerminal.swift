package import Foundation

/// A terminal whose one end is given to a program, so that it draws its progress line.
package final class PseudoTerminal {
  /// The end for the program.
  package let program: FileHandle
  private let controller: Int32

  /// Linux's `TIOCSPTLCK` and `TIOCGPTN`, which Swift cannot import.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  /// Opens a pair of ends.
  ///
  /// - Throws: `CocoaError` if the system has no more terminals.
  package init() throws {
    controller = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var locked: Int32 = 0
    var number: UInt32 = 0
    guard controller >= 0, ioctl(controller, Self.setLock, &locked) == 0,
      ioctl(controller, Self.getNumber, &number) == 0
    else { throw CocoaError(.fileReadUnknown) }
    let end = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    guard end >= 0 else { throw CocoaError(.fileReadUnknown) }
    program = FileHandle(fileDescriptor: end, closeOnDealloc: true)
  }

  deinit { close(controller) }

  /// Reads what the program draws until it has drawn a text a number of times.
  ///
  /// - Returns: false if nothing is left to read, or a minute passes before that.
  package func waits(for text: String, times: Int) -> Bool {
    var drawn: [UInt8] = []
    let end = Date(timeIntervalSinceNow: 60)
    while Date() < end {
      var ready = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 1000) >= 0 else { return false }
      guard ready.revents & Int16(POLLIN) != 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(controller, &buffer, buffer.count)
      guard count > 0 else { return false }
      drawn += buffer[..<count]
      if String(decoding: drawn, as: UTF8.self).components(separatedBy: text).count > times {
        return true
      }
    }
    return false
  }
}
