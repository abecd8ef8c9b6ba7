import Verify

extension ResultDocument.Provenance.Run {
  /// This run of the program, as a saved result names it.
  ///
  /// The number of threads changes no number, so it is left out.
  init(arguments: [String]) {
    var command = ["lrpatch"]
    var isValue = false
    for argument in arguments.dropFirst() {
      if argument == "--threads" {
        isValue = true
      } else if isValue || argument.hasPrefix("--threads=") {
        isValue = false
      } else {
        command.append(argument)
      }
    }
    self.init(command: command, system: Machine.system, processor: Machine.processor)
  }
}
