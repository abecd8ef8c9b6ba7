import Formats

extension ResultDocument {
  /// What was run on which files.
  public struct Provenance: Equatable, Sendable {
    /// One command that measured a part of the result.
    public struct Run: Equatable, Sendable {
      /// The command and its arguments.
      public var command: [String]
      /// The operating system.
      public var system: String
      /// The name of the processor.
      public var processor: String
      /// When it began, as ISO 8601 in UTC; nil in a result that lacks it.
      public var began: String?
      /// How long it took; nil in a result that lacks it.
      public var seconds: Double?

      /// Creates a record of a command.
      public init(command: [String], system: String, processor: String) {
        self.command = command
        self.system = system
        self.processor = processor
      }
    }

    /// The model's files; empty if they were not read.
    public var files: [FileDigest]
    /// Texts and factors that were given, under their paths.
    public var inputs: [FileDigest]
    /// The commands, in the order in which their results were merged.
    public var runs: [Run]

    /// Creates a provenance; an empty one says nothing.
    public init(files: [FileDigest] = [], inputs: [FileDigest] = [], runs: [Run] = []) {
      self.files = files
      self.inputs = inputs
      self.runs = runs
    }
  }
}

extension ResultDocument.Provenance {
  var json: JSONValue {
    .object([
      "files": .array(files.map(\.json)), "inputs": .array(inputs.map(\.json)),
      "runs": .array(
        runs.map {
          .object([
            "command": .array($0.command.map { .string($0) }), "system": .string($0.system),
            "processor": .string($0.processor), "began": $0.began.map { .string($0) } ?? .null,
            "seconds": $0.seconds.map { .number($0) } ?? .null,
          ])
        }),
    ])
  }

  init(_ reader: ResultReader) throws {
    files = try reader.list("files") { try FileDigest($0) }
    inputs = try reader.list("inputs") { try FileDigest($0) }
    runs = try reader.list("runs") { reader in
      var run = Run(
        command: try reader.texts("command").map(\.sanitized), system: try reader.name("system"),
        processor: try reader.name("processor"))
      run.began = try reader.optionalName("began")
      if reader.json["seconds"]?.isNull == false { run.seconds = try reader.seconds() }
      return run
    }
  }
}

extension FileDigest {
  fileprivate var json: JSONValue {
    .object(["name": .string(name), "size": .number(size), "sha256": .string(sha256)])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      name: try reader.name("name"), size: try reader.count("size"),
      sha256: try reader.name("sha256"))
  }
}
