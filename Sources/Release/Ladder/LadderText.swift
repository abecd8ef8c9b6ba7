import Foundation
package import Verify

/// A ladder as plain text, for a terminal.
package struct LadderText {
  private let tables: LadderTables
  private let style: TextStyle

  package init(_ document: LadderDocument, style: TextStyle) {
    tables = LadderTables(document)
    self.style = style
  }

  package var text: String {
    let sections = [
      missing, table, tables.marks, bars, failures, [tables.criterion, tables.headline],
    ]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  private var missing: [String] { tables.missing.map { [style.coloured($0, .red)] } ?? [] }

  /// The rows, with the names of a rung only in its first one.
  private var table: [String] {
    guard !tables.rungs.isEmpty else { return [] }
    let rows = tables.rungs.flatMap { rung in
      tables.rows(of: rung).enumerated().map { index, row in
        index == 0 ? row : ["", ""] + row.dropFirst(2)
      }
    }
    return TextColumns.lines([tables.header] + rows)
  }

  private static let barWidth = 40
  /// The divergence of the shortest bar.
  private static let least = 1e-4

  /// The divergence at the greatest length, on a logarithmic scale.
  private var bars: [String] {
    guard let length = tables.lengths.last else { return [] }
    let values = tables.rungs.compactMap { rung -> (names: [String], value: Double, isBad: Bool)? in
      guard let place = rung.places.last(where: { $0.length == length }),
        let divergence = place.retention?.divergence, divergence > 0
      else { return nil }
      return ([rung.model, rung.cache], divergence, !place.failures.isEmpty)
    }
    guard let greatest = values.map(\.value).max(), greatest > Self.least else { return [] }
    let rows = values.map { item in
      let share = log(max(item.value, Self.least) / Self.least) / log(greatest / Self.least)
      return item.names + [
        style.bar(share, width: Self.barWidth, item.isBad ? .red : .blue)
      ]
    }
    return [
      "divergence at \(length) tokens, on a logarithmic scale from \(Self.least) to \(greatest.rounded(toError: greatest / 20))"
    ] + TextColumns.lines(rows).map { "  " + $0 }
  }

  private var failures: [String] {
    tables.rungs.isEmpty
      ? [] : TextColumns.lines([LadderTables.failureHeader] + tables.failures)
  }
}
