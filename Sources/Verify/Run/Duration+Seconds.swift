extension Duration {
  /// The duration as a number of seconds.
  package var seconds: Double { self / .seconds(1) }

  /// About how long it is: seconds, minutes or hours.
  package var words: String {
    let minutes = Int((seconds / 60).rounded(.up))
    if seconds < 100 { return "\(Int(seconds.rounded(.up))) s" }
    return minutes < 90 ? "\(minutes) min" : "\((minutes + 30) / 60) h"
  }
}
