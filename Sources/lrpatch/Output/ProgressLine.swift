import Glibc
import Release
import Verify

/// The progress of a long command on stderr: a line that is redrawn on a terminal, otherwise a
/// plain line now and then.
final class ProgressLine {
  private let isShown: Bool
  private let isTerminal: Bool
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?
  private var isDrawn = false

  init(isShown: Bool) {
    self.isShown = isShown
    let terminal = unsafe getenv("TERM").map { unsafe String(cString: $0) }
    isTerminal = isatty(STDERR_FILENO) == 1 && terminal != "dumb"
  }

  /// - Parameter share: the share of the work that is done, from 0 to 1.
  func show(_ share: Double, _ label: String) {
    let now = ContinuousClock.now
    let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(20)
    guard isShown, (0..<1).contains(share), last.map({ now - $0 >= interval }) ?? isTerminal else {
      if last == nil { last = now }
      return
    }
    last = now
    let text = "\(Int(share * 100)) %, \(label)\(rateAndTimeLeft(share, now))"
    if isTerminal {
      // A line that wraps could not be redrawn.
      let line = "\(Self.bar(share)) \(text)".prefix((Output.errorColumns ?? 80) - 1)
      Output.raw("\r\u{1B}[K\(line)")
      isDrawn = true
    } else {
      Output.note(text)
    }
  }

  private static func bar(_ share: Double) -> String {
    let width = 20
    let done = Int(share * Double(width))
    return "[\(String(repeating: "=", count: done))\(String(repeating: " ", count: width - done))]"
  }

  private func rateAndTimeLeft(_ share: Double, _ now: ContinuousClock.Instant) -> String {
    let elapsed = (now - start).seconds
    guard share > 0.01, elapsed >= 1 else { return "" }
    let rate = share * 100 * 60 / elapsed
    let left = Int(elapsed * (1 - share) / share)
    let text =
      left >= 3600
      ? "\(left / 3600) h \(left % 3600 / 60) min" : left >= 60 ? "\(left / 60) min" : "\(left) s"
    let shown = rate < 10 ? (rate * 10).rounded() / 10 : rate.rounded()
    return ", \(shown.sixDigits) %/min, about \(text) left"
  }

  /// Removes the line.
  func end() {
    if isDrawn { Output.raw("\r\u{1B}[K") }
    isDrawn = false
  }
}
