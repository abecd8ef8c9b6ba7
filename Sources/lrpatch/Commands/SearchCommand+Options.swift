import ArgumentParser
import Search
import Verify

/// How the arguments become the options of a search.
extension SearchCommand {
  var checkpointPath: String { checkpoint ?? resume ?? output + ".checkpoint" }

  var outputs: [String] { [output, csv, svg, log, checkpointPath].compactMap(\.self) }

  /// - Throws: `ValidationError` for an option that cannot be read, or that contradicts another.
  func options() throws -> SearchOptions {
    var options = SearchOptions(model: model, targetWindow: targetLength?.value)
    options.originalWindow = originalLength?.value
    options.algorithm = try publishedAlgorithm ?? algorithm
    setFitness(&options)
    setSpace(&options)
    setEvolution(&options)
    options.precision = precision
    options.seed = seed
    options.resume = resume
    options.checkpoint = checkpointPath
    options.log = log
    options.evaluations = evaluations
    options.timeBudget = timeBudget?.duration
    options.jobs = jobs
    options.threads = work.threadCount
    do { try options.validate() } catch { throw ValidationError(error.message) }
    return options
  }

  private var publishedAlgorithm: AlgorithmName? {
    get throws {
      guard let asReleased else { return nil }
      guard let published = AlgorithmName.published.first(where: { $0.rawValue == asReleased })
      else {
        throw unknown(
          asReleased, of: "--as-released", AlgorithmName.published.map(\.rawValue))
      }
      return published
    }
  }

  private func setFitness(_ options: inout SearchOptions) {
    options.fitness = fitness
    options.texts = text
    options.part = part?.value
    options.documents = documents
    options.method = method
    options.stride = stride
    options.needles = needles
    options.needlePrompt = needlePrompt
    options.needlesAtStart = needlesAtStart
    options.needleWeight = needleWeight
  }

  private func setSpace(_ options: inout SearchOptions) {
    options.criticalPair = criticalDimension
    options.maximum = maximum
    options.startTokens = startTokens
    options.mscale = mscale?.value
    options.searchesMscale = searchMscale
    options.searchesPairMscales = searchPairMscales
    options.readjusts = readjust
    options.onto = onto
    options.initial = initial
  }

  private func setEvolution(_ options: inout SearchOptions) {
    options.population = population
    options.parents = parents
    options.mutants = mutants
    options.crossovers = crossovers
    options.iterations = iterations
    options.probability = probability
    options.generationSize = generationSize
    options.races = !noRace
    options.raceAlpha = raceAlpha
    options.raceAudit = raceAudit
  }
}
