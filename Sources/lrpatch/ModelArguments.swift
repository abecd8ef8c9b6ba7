import ArgumentParser
import Formats

/// One or several models, each of which gets the same report.
struct ModelArguments: ParsableArguments {
  @Argument(
    help: "Models: Hugging Face folders, or .gguf files (any shard of a split one).",
    completion: modelCompletion, transform: hubModel)
  var model: [String]

  func validate() throws {
    if model.isEmpty { throw ValidationError("Missing expected argument '<model> ...'") }
  }

  /// Reports on every model.
  ///
  /// With several of them, an error in one does not keep the others from being reported. The JSON documents of several models are printed as one list.
  /// - Parameter report: prints the report on a model, or returns its document.
  /// - Throws: the first error, after the last model.
  func forEach(_ common: CommonOptions, _ report: (String) throws -> JSONValue?) throws {
    guard model.count > 1 else {
      if let document = try report(model[0]) { Output.json(document) }
      return
    }
    var documents: [JSONValue] = []
    var first: (any Error)?
    for (number, path) in model.enumerated() {
      if !common.json, !common.quiet { Output.result("\(number > 0 ? "\n" : "")\(path):") }
      do {
        if let document = try report(path) { documents.append(document) }
      } catch {
        let failure = Failure(error, of: LRPatch.self)
        if common.json { documents.append(failure.document) }
        failure.note()
        first = first ?? error
      }
    }
    if common.json {
      Output.json(
        .object(["schema": DocumentSchema.list.json, "documents": .array(documents)]))
    }
    if let first { throw ReportedError(error: first) }
  }
}

/// An error that has been reported already.
struct ReportedError: Error {
  var error: any Error
}
