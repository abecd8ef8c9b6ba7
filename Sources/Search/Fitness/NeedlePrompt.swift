/// The wording of the needle prompt.
public enum NeedlePrompt: String, CaseIterable, Codable, Sendable {
  /// LongRoPE2, appendix C.
  case paper
  /// The published generator of LongRoPE2's search data.
  case released
  /// LongRoPE's passkey prompt, for models that know no other.
  case passkey
  /// Several pass keys in each prompt, asked for one after another, so that one prompt measures all
  /// depths.
  case keys
}
