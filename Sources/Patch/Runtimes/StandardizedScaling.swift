import Formats
import Models

/// The scaling as standardized by the config class of transformers 5, which vLLM and SGLang read
/// too.
struct StandardizedScaling {
  var scaling: JSONValue?
  var type: String
  var theta: Double
  var partial: Double
  /// The original window.
  var original: Int
}

extension FolderConfig {
  /// The scaling as standardized by the config class of transformers 5.
  /// - Throws: the errors of that class.
  func standardized() throws(RuntimeRefusal) -> StandardizedScaling {
    let scaling = object("rope_scaling") ?? object("rope_parameters")
    var type = scaling?["rope_type"]?.text ?? scaling?["type"]?.text ?? "default"
    let nested = scaling?["original_max_position_embeddings"]?.integer
    let traits = architecture.transformers
    if type == "su" || (traits.takesLegacyTypes && type == "yarn") {
      guard traits.takesLegacyTypes || traits.isRemoteCode else {
        throw RuntimeRefusal("KeyError: the rope type 'su' is unknown")
      }
      guard nested != nil else {
        throw RuntimeRefusal(
          "KeyError: a '\(type)' object needs original_max_position_embeddings inside")
      }
      type = "longrope"
    }
    let top = config["original_max_position_embeddings"]?.integer ?? traits.defaultOriginalWindow
    return StandardizedScaling(
      scaling: scaling, type: type,
      theta: scaling?["rope_theta"]?.double ?? topTheta(),
      partial: scaling?["partial_rotary_factor"]?.double
        ?? config["partial_rotary_factor"]?.double ?? 1,
      original: top ?? nested ?? window)
  }
}
