import Foundation
import Verify

/// Pictures of a result made of characters: what was found by length and depth, and perplexity by
/// length.
///
/// Runtimes with equal numbers share a picture.
struct ResultPlots {
  let document: ResultDocument
  let style: TextStyle
  private var measured: Measurements { document.measured }

  /// Sections of lines, each after its title.
  var sections: [[String]] {
    (measured.resultsByDepth.map(depths) + [perplexities]).filter { $0.count > 1 }
  }

  // MARK: Depths

  private static let mostCells = 32

  private func depths(_ results: DepthResults) -> [String] {
    let depths = results.depths
    guard depths.count > 1 else { return [] }
    let groups = groups { runtime in
      let own = results.all.filter { $0.runtime == runtime }
      return lengths(own.map(\.length)).map { length in
        (length, Self.shares(own.filter { $0.length == length }, depths))
      }
    }
    return ["\(results.title) by depth, from the beginning to the end"]
      + rows(groups) { length, cells in cells.map(style.cell).joined() }
  }

  /// The shares of what was found, by depth.
  ///
  /// Neighbouring depths share a cell if there are many.
  private static func shares(_ results: [DepthResult], _ depths: [Double]) -> [Double?] {
    let width = (depths.count + mostCells - 1) / mostCells
    return stride(from: 0, to: depths.count, by: width).map { first in
      let cell = Set(depths[first..<min(first + width, depths.count)])
      return results.filter { cell.contains($0.depth) }.share
    }
  }

  // MARK: Perplexity

  private static let barWidth = 40

  private var perplexities: [String] {
    let values = measured.perplexities.map(\.result.value).filter(\.isFinite)
    guard let greatest = values.max(), greatest > 1, measured.lengths.count > 1 else { return [] }
    let groups = groups { runtime in
      let own = measured.perplexities.map(\.result).filter {
        $0.runtime == runtime && $0.value.isFinite
      }
      return lengths(own.map(\.length)).map { length in
        (length, own.filter { $0.length == length }.map(\.value).max() ?? .nan)
      }
    }
    guard groups.contains(where: { $0.value.count > 1 }) else { return [] }
    return [
      "perplexity by length, on a logarithmic scale; longest bar \(greatest.rounded(toError: greatest / 100))"
    ]
      + rows(groups) { length, value in
        style.bar(
          log(max(1, value)) / log(greatest), width: Self.barWidth,
          length > measured.originalWindow ? .blue : .green)
      }
  }

  // MARK: Groups

  private struct Row<Value: Equatable>: Equatable {
    var length: Int
    var value: Value
  }

  private typealias Group<Value: Equatable> = (names: [String], value: [Row<Value>])

  private func lengths(_ all: [Int]) -> [Int] { Set(all).sorted() }

  private func groups<Value: Equatable>(
    _ rows: (String) -> [(length: Int, value: Value)]
  ) -> [Group<Value>] {
    measured.runtimesAlike { runtime in
      let own = rows(runtime).map { Row(length: $0.length, value: $0.value) }
      return own.isEmpty ? nil : own
    }
  }

  /// One line for each length, under a heading for each group if there are several.
  private func rows<Value: Equatable>(
    _ groups: [Group<Value>], _ picture: (Int, Value) -> String
  ) -> [String] {
    let width = groups.flatMap(\.value).map { document.marked($0.length).count }.max() ?? 0
    return groups.flatMap { group -> [String] in
      let heading = groups.count > 1 ? ["  \(group.names.joined(separator: ", "))"] : []
      return heading
        + group.value.map { row in
          let name = document.marked(row.length).padded(to: width)
          return "  \(name)  \(picture(row.length, row.value))"
        }
    }
  }
}
