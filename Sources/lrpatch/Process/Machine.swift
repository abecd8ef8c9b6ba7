import Formats
import Foundation
import Glibc

/// The machine on which the program runs.
enum Machine {
  /// The operating system, such as `Debian GNU/Linux 12 (bookworm), Linux 6.1.0, x86_64`.
  static var system: String {
    var names = utsname()
    guard unsafe uname(&names) == 0 else {
      return ProcessInfo.processInfo.operatingSystemVersionString
    }
    func text<Field>(_ field: Field) -> String {
      unsafe withUnsafeBytes(of: field) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return
      "\(ProcessInfo.processInfo.operatingSystemVersionString), \(text(names.sysname)) \(text(names.release)), \(text(names.machine))"
  }

  /// The processor's name, as the kernel gives it.
  static var processor: String {
    let lines =
      (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let names = ["model name", "Model", "Hardware", "cpu"]
    for name in names {
      guard let line = lines.first(where: { $0.hasPrefix(name) }),
        let colon = line.firstIndex(of: ":")
      else {
        continue
      }
      return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces).sanitized
    }
    return "unknown"
  }
}
