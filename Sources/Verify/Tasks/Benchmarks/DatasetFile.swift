import Formats
import Models

/// A dataset in JSON lines: one object on each line.
///
/// Lines are parsed when they are asked for, so that a large file of examples, of which few are
/// used, takes little more than its bytes.
struct DatasetFile {
  let path: String
  private let bytes: [UInt8]
  private let lines: [(number: Int, range: Range<Int>)]
  private let expected: String

  /// The number of rows.
  var count: Int { lines.count }

  /// - Parameter expected: what rows have, in words.
  /// - Throws: `ModelError` for a file that is not in JSON lines, or has no rows; `FileError`;
  ///   `FormatError` for a file that is too large.
  init(_ path: String, expected: String) throws {
    self.path = path
    self.expected = expected
    let bytes = try FileSystem.contents(of: path)
    if let form = Self.otherForms.first(where: { bytes.starts(with: $0.beginning) }) {
      throw ModelError.unsupported(path, "\(form.what), expected JSON lines: \(form.remedy)")
    }
    self.bytes = bytes
    lines = Self.lines(bytes)
    guard !lines.isEmpty else {
      throw ModelError.unsupported(path, "has no rows, expected JSON lines as in \(expected)")
    }
  }

  /// The row with an index from 0.
  func row(_ index: Int) throws -> DatasetRow {
    let (number, range) = lines[index]
    let value: JSONValue
    do {
      value = try JSONDocument(parsing: Array(bytes[range])).value
    } catch {
      throw ModelError.unsupported(path, "line \(number): not JSON: \(error)")
    }
    let row = DatasetRow(json: value, path: path, place: "line \(number)", expected: expected)
    guard value.members != nil else { throw row.error("\(value.kind), expected an object") }
    return row
  }

  /// The lines that are not blank.
  private static func lines(_ bytes: [UInt8]) -> [(Int, Range<Int>)] {
    let blank: Set<UInt8> = [0x20, 0x09, 0x0D]
    return bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated().compactMap {
      $1.allSatisfy(blank.contains) ? nil : ($0 + 1, $1.indices)
    }
  }

  /// Other forms in which datasets are published, with how to turn them into JSON lines.
  private static let otherForms: [(beginning: [UInt8], what: String, remedy: String)] = [
    (
      Array("PAR1".utf8), "is a Parquet file",
      """
      python3 -c 'import pandas, sys; pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], \
      orient="records", lines=True)' FILE.parquet FILE.jsonl
      """
    ),
    (Array("ARROW1".utf8), "is an Arrow file", "datasets.Dataset.from_file(FILE).to_json(OUT)"),
    ([0x1F, 0x8B], "is compressed by gzip", "unpack it with gunzip"),
    ([0x28, 0xB5, 0x2F, 0xFD], "is compressed by zstd", "unpack it with zstd -d"),
    (Array("PK".utf8), "is a ZIP archive", "unpack it with unzip"),
    (Array("[".utf8), "is one JSON list", "jq -c '.[]' FILE.json > FILE.jsonl"),
  ]
}
