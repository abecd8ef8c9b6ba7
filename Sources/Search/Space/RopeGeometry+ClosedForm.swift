package import Models
package import Patch

extension RopeGeometry {
  /// The settings of the closed forms for a longer window.
  /// - Parameters:
  ///   - original: the window that is extended; nil for the model's original window.
  ///   - subject: the model's path, for errors.
  /// - Throws: `ModelError` for a target that does not exceed the window that is extended.
  package func settings(
    target: Int, original: Int?, subject: String
  ) throws -> ClosedForm.Settings {
    let original = original ?? originalWindow
    guard target > original else {
      throw ModelError.unsupported(
        subject, "the target of \(target) tokens does not exceed the window of \(original)")
    }
    return settings(original: original, window: target)
  }

  /// The settings of the closed forms for any two windows.
  func settings(original: Int, window: Int) -> ClosedForm.Settings {
    var settings = ClosedForm.Settings(
      theta: theta, rotaryDimensions: rotaryDimensions, originalWindow: original, window: window)
    settings.setTurns(yarnTurns)
    return settings
  }
}
