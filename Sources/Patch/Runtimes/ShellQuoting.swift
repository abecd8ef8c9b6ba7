extension String {
  /// The text, quoted for a shell if necessary.
  package var shellQuoted: String {
    let plain = Set("/._-+=:@%,".unicodeScalars)
    let isPlain =
      !isEmpty
      && unicodeScalars.allSatisfy {
        plain.contains($0) || $0.properties.isAlphabetic || ("0"..."9").contains($0)
      }
    if isPlain { return self }
    // By scalars, because a combining mark after a quote would hide it from a search by characters.
    let quoted = unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined()
    return "'\(quoted)'"
  }
}
