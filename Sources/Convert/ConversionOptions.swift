public import Patch

/// Options of `Conversion`.
public struct ConversionOptions: Sendable {
  /// The type of matrices in the output.
  public var type = TensorType.auto
  /// The largest number of bytes of tensor data in one file; nil for one GGUF file of any size, or
  /// for folders, for 5 GB.
  public var maximumShardBytes: Int?
  /// `general.name` of a GGUF file; nil for the name of the source.
  public var name: String?
  /// Factors to apply to the output.
  public var factors: FactorSource?
  /// Overrides the window of the factors, in tokens.
  public var targetWindow: Int?
  /// Write values that some runtime cannot express.
  public var allowDivergent = false
  /// The number of threads.
  public var threads = 1

  /// The defaults: the types of the source, no new factors, one thread.
  public init() {}
}
