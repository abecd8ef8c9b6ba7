import Formats
import Models
import Patch
import Release

/// What to pass to each runtime so that the long window is served.
enum ServingAdvice {
  static func lines(for session: borrowing ModelSession) throws -> [String] {
    let inspection = try Inspection(session)
    let readings = inspection.readings.filter { !$0.serving.isEmpty && $0.status != .plain }
    guard !readings.isEmpty else { return [] }
    return ["to serve the window of \(inspection.geometry.window) tokens:"] + lines(readings)
  }

  /// One line for all runtimes that are served alike.
  static func lines(_ readings: [RuntimeReading]) -> [String] {
    let rows = readings.map(\.serving).uniqued.map { serving in
      [readings.filter { $0.serving == serving }.map(\.title).joined(separator: ", "), serving]
    }
    return TextColumns.lines(rows).map { "  " + $0 }
  }
}
