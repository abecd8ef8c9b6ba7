import Models
import Patch
import Release

/// What to pass to each runtime so that the long window is served.
enum ServingAdvice {
  static func lines(for session: borrowing ModelSession) throws -> [String] {
    let inspection = try Inspection(session)
    let readings = inspection.readings.filter { !$0.serving.isEmpty && $0.status != .plain }
    guard !readings.isEmpty else { return [] }
    let width = readings.map(\.title.count).max() ?? 0
    return ["to serve the window of \(inspection.geometry.window) tokens:"]
      + readings.map { "  \($0.title.padded(to: width))  \($0.serving)" }
  }
}
