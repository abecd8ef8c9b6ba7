public import Patch

/// How a model is to be converted.
public struct ConversionOptions: Sendable {
  /// What matrices are stored as.
  public var type = TensorType.auto
  /// The most bytes of tensor data that one file may have; one file for everything where nil.
  public var maximumShardBytes: Int?
  /// `general.name` of a GGUF file; the folder's own where nil.
  public var name: String?
  /// Factors to put into the model on the way.
  public var factors: FactorSource?
  /// The window that the factors extend to, where they do not say it.
  public var targetWindow: Int?
  /// Write what some runtime cannot express.
  public var allowDivergent = false
  public var threads = 1

  public init() {}
}
