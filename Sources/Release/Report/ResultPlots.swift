import Foundation
import Verify

/// Pictures of a result made of characters: passkeys by length and depth, perplexity by length.
///
/// Runtimes with equal numbers share a picture.
struct ResultPlots {
  let document: ResultDocument
  let style: TextStyle
  private var measured: Measurements { document.measured }

  /// Sections of lines, each after its title.
  var sections: [[String]] { [passkeys, perplexities].filter { $0.count > 1 } }

  // MARK: Passkeys

  private static let mostCells = 32

  private var passkeys: [String] {
    let depths = Set(measured.passkeys.map(\.cell.depth)).sorted()
    guard depths.count > 1 else { return [] }
    let groups = groups { runtime in
      lengths(measured.passkeys.filter { $0.runtime == runtime }.map(\.cell.length)).map { length in
        (length, shares(runtime, length, depths))
      }
    }
    return ["passkeys by depth, from the beginning to the end"]
      + rows(groups) { length, cells in cells.map(style.cell).joined() }
  }

  /// The shares of passkeys found, by depth.
  ///
  /// Neighbouring depths share a cell if there are many.
  private func shares(_ runtime: String, _ length: Int, _ depths: [Double]) -> [Double?] {
    let here = measured.passkeys.filter { $0.runtime == runtime && $0.cell.length == length }
    let width = (depths.count + Self.mostCells - 1) / Self.mostCells
    return stride(from: 0, to: depths.count, by: width).map { first in
      let cell = Set(depths[first..<min(first + width, depths.count)])
      let results = here.filter { cell.contains($0.cell.depth) }
      return results.isEmpty ? nil : Double(results.count(where: \.isExact)) / Double(results.count)
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
