import Verify

extension Measurements {
  /// Groups of runtimes with equal values, in the order of their first members.
  ///
  /// Runtimes without a value are left out.
  func runtimesAlike<Value: Equatable>(
    _ value: (String) -> Value?
  ) -> [(names: [String], value: Value)] {
    runtimes.reduce(into: []) { groups, runtime in
      guard let own = value(runtime) else { return }
      if let index = groups.firstIndex(where: { $0.value == own }) {
        groups[index].names.append(runtime)
      } else {
        groups.append(([runtime], own))
      }
    }
  }
}
