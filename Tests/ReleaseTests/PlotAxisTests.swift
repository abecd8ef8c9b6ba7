import Testing

@testable import Release

/// Where values lie on the axes of plots.
struct PlotAxisTests {
  @Test func linearAxisBeginsAtZero() {
    let axis = PlotAxis([2, 5], isLogarithmic: false, hasZero: true)
    #expect(axis.place(0) == 0)
    #expect(abs(axis.place(5) - 1 / 1.06) < 1e-12)
    #expect(axis.ticks == [0, 2, 4])
  }

  @Test func linearAxisShowsZeroAmongNegativeValues() {
    let axis = PlotAxis([-4, -1], isLogarithmic: false, hasZero: true)
    #expect(axis.ticks.contains(0))
    #expect(axis.place(-4) > 0 && axis.place(0) < 1)
  }

  @Test func logarithmicAxisHasRoomAtBothEnds() {
    let axis = PlotAxis([1, 10, 100], isLogarithmic: true)
    #expect(abs(axis.place(10) - 0.5) < 1e-12)
    #expect(axis.place(1) > 0 && axis.place(100) < 1)
    #expect(Set([1, 10, 100]).isSubset(of: axis.ticks))
  }

  @Test func equalValuesLieInTheMiddle() {
    #expect(abs(PlotAxis([7, 7], isLogarithmic: false).place(7) - 0.5) < 1e-9)
    #expect(abs(PlotAxis([7], isLogarithmic: true).place(7) - 0.5) < 1e-9)
    #expect(PlotAxis(lengths: [4096]).place(4096) == 0.5)
  }

  @Test func valuesBeyondTheEndsLieAtThem() {
    #expect(PlotAxis.percent.place(-20) == 0)
    #expect(PlotAxis.percent.place(150) == 1)
    #expect(PlotAxis([1, 2], isLogarithmic: true).place(-1) == 0)
  }

  @Test(arguments: [true, false])
  func valuesOfADamagedResultGetTicks(isLogarithmic: Bool) {
    let values = [-1e308, 0, 1, .nan, 1e308, .infinity]
    let axis = PlotAxis(values, isLogarithmic: isLogarithmic, hasZero: true)
    #expect(!axis.ticks.isEmpty && axis.ticks.allSatisfy(\.isFinite))
    #expect(values.allSatisfy { (0...1).contains(axis.place($0)) })
  }

  @Test func doublingALengthIsAlwaysTheSameStep() {
    let axis = PlotAxis(lengths: [2048, 4096, 8192])
    #expect(axis.place(2048) == 0 && axis.place(8192) == 1)
    #expect(abs(axis.place(4096) - 0.5) < 1e-12)
  }
}
