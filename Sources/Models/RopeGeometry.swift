/// A model's description of its rotary embedding, read from either format.
public struct RopeGeometry: Equatable, Sendable {
  /// `model_type` or `general.architecture`.
  public var architecture: String
  /// The ends of YaRN's ramp for this architecture.
  public var yarnTurns: YarnTurns
  /// Decoder layers, or nil if the model does not say.
  public var layers: Int?
  /// d, the number of rotated dimensions of a head.
  public var rotaryDimensions: Int
  /// The RoPE base.
  public var theta: Double
  /// The declared window, in tokens.
  public var window: Int
  /// Possible windows before any extension, in tokens, the most likely first.
  public var originalWindows: [Int]
  /// False if the model has LongRoPE factors but does not say which window they extend.
  public var isOriginalWindowKnown = true
  /// The type of the present scaling: `default`, `linear`, `llama3`, `longrope`, ...
  public var scalingType: String

  /// The most likely window before any extension, in tokens.
  public var originalWindow: Int { originalWindows.first ?? window }
}
