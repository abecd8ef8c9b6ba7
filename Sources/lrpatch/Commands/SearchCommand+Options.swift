import ArgumentParser
import Search
import Verify

/// How the arguments become the options of a search.
extension SearchCommand {
  var checkpointPath: String {
    runArguments.checkpoint ?? runArguments.resume ?? output + ".checkpoint"
  }

  var outputs: [String] {
    [output, fileArguments.csv, fileArguments.svg, fileArguments.log, checkpointPath]
      .compactMap(\.self)
  }

  /// - Throws: `ValidationError` for an option that cannot be read, or that contradicts another.
  func options() throws -> SearchOptions {
    var options = SearchOptions(model: model, targetWindow: targetLength?.value)
    fitnessArguments.set(&options)
    spaceArguments.set(&options)
    try algorithmArguments.set(&options)
    runArguments.set(&options)
    options.checkpoint = checkpointPath
    options.log = fileArguments.log
    options.threads = work.threadCount
    do { try options.validate() } catch { throw ValidationError(error.message) }
    return options
  }
}
