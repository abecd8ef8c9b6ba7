extension Int {
  /// A number of bytes of memory in words, in binary units: "812 MiB", "3.5 GiB".
  package var memoryText: String {
    let mebibytes = self >> 20
    return mebibytes < 2048 ? "\(mebibytes) MiB" : "\(Double(mebibytes * 10 / 1024) / 10) GiB"
  }
}
