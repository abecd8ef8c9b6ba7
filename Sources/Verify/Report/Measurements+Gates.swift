import Inference

extension Measurements {
  /// A value that a gate is about, and where it was measured; nil if it is missing.
  private typealias Value = (value: Double?, place: String)

  /// Judges a gate by the worst value among its lengths and runtimes.
  ///
  /// The papers' rule counts only if the gate names it, or if nothing else was followed: no runtime
  /// works by it. A method that extends the window without factors counts only if the gate names
  /// it. The gate fails if its metric was not measured completely.
  public func judge(_ gate: Gate) -> Verdict {
    let values = values(for: gate)
    if let absent = values.first(where: { $0.value == nil }) {
      return .failed(gate, "not completely measured: \(absent.place)")
    }
    let measured = values.compactMap { entry in entry.value.map { ($0, entry.place) } }
    let worst =
      gate.comparison == .atLeast
      ? measured.min { $0.0 < $1.0 } : measured.max { $0.0 < $1.0 }
    guard let (value, place) = worst else { return .failed(gate, "not measured") }
    return Verdict(gate: gate, worst: value, place: place, passes: gate.holds(value))
  }

  private func values(for gate: Gate) -> [Value] {
    (gate.runtime.map { name in runtimes.filter { $0 == name } } ?? realRuntimes).flatMap {
      runtime in
      gate.metric == .effectiveLength
        ? [effectiveLengthValue(runtime)] : values(for: gate, of: runtime)
    }
  }

  /// The runtimes, without methods that extend the window without factors, and without the papers'
  /// rule unless it is the only one.
  package var realRuntimes: [String] {
    let followed = runtimes.filter { !ExtensionMethod.names.contains($0) }
    let others = followed.filter { $0 != RuntimeChoice.paper.name }
    return others.isEmpty ? followed : others
  }

  /// The same with the methods that extend the window without factors.
  package var comparedRuntimes: [String] {
    runtimes.filter { realRuntimes.contains($0) || ExtensionMethod.names.contains($0) }
  }

  private func effectiveLengthValue(_ runtime: String) -> Value {
    (effectiveLength(runtime).map { Double($0.length ?? 0) }, runtime)
  }

  private func values(for gate: Gate, of runtime: String) -> [Value] {
    lengths.compactMap { length in
      guard gate.covers(length: length, originalWindow: originalWindow) else { return nil }
      let place = Place(metric: gate.metric, runtime: runtime, length: length)
      let value = value(place)
      guard value != nil || missing[place] != nil else { return nil }
      return (value, "\(runtime) at \(length)")
    }
  }
}

extension Verdict {
  fileprivate static func failed(_ gate: Gate, _ reason: String) -> Verdict {
    Verdict(gate: gate, worst: nil, place: reason, passes: false)
  }
}
