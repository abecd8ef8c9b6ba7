package import Formats
import Models
package import Patch

/// An inspection as `lrpatch inspect --json` prints it (specs/inspect.schema.json).
extension Inspection {
  package static let schema = DocumentSchema.inspect.rawValue

  package var members: [JSONMember] {
    [
      JSONMember("schema", .string(Self.schema)),
      JSONMember("model", .string(path)),
      JSONMember("format", .string(format.rawValue)),
      JSONMember("architecture", .string(geometry.architecture)),
      JSONMember("rope", rope),
      JSONMember("factors", factors?.json ?? .null),
      JSONMember("patched_by", patchedBy),
      JSONMember("runtimes", .array(readings.map(\.json))),
    ]
  }

  private var rope: JSONValue {
    .object([
      "type": .string(geometry.scalingType),
      "theta": .number(geometry.theta),
      "rotary_dimensions": .number(geometry.rotaryDimensions),
      "original_window": .number(geometry.originalWindow),
      "window": .number(geometry.window),
      "theoretical_critical_pair": .number(theoreticalCriticalPair),
    ])
  }

  private var patchedBy: JSONValue {
    guard !mark.isEmpty else { return .null }
    return .object(
      mark.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
  }
}

extension ModelFactors {
  fileprivate var json: JSONValue {
    .object([
      "long": .numbers(long),
      "short": .numbers(short),
      "mscale": .object(["long": .number(longMscale), "short": .number(shortMscale)]),
    ])
  }
}

extension RuntimeReading {
  fileprivate var json: JSONValue {
    .object([
      "runtime": .string(name),
      "status": .string(status.rawValue),
      "notes": .array(notes.map { .string($0) }),
      "short": short?.json ?? .null,
      "long": long?.json ?? .null,
      "switch": .string(switching),
      "serve": .string(serving),
    ])
  }
}

extension UsedTable {
  fileprivate var json: JSONValue {
    .object([
      "table": .string(name),
      "mscale": .number(mscale),
      "inverse_frequencies": inverseFrequencies.map { .numbers($0) } ?? .null,
    ])
  }
}
