import Inference
import Models
import Numerics

/// Opens models for a forward pass that can be ended early.
struct ModelOpener {
  private let options: VerifyOptions
  private let environment: JobEnvironment
  private let stopCheck: StopCheck

  init(_ options: VerifyOptions, _ environment: JobEnvironment) {
    self.options = options
    self.environment = environment
    stopCheck = StopCheck(environment, budget: options.timeBudget)
  }

  /// - Parameter cache: the types in which keys and values are kept.
  func forward(_ path: String, _ cache: CacheTypes) throws -> ForwardPass {
    let stopCheck = stopCheck
    var pass = ForwardPass(
      try Transformer(path: path), threads: options.threads, precision: options.precision
    ) { try stopCheck() }
    if let available = environment.availableMemory() { pass.cacheLimit = available / 4 * 3 }
    return try pass.keeping(cache)
  }
}
