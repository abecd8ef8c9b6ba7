import Formats
import TestSupport
import Testing

@testable import Numerics

/// How products are divided among threads.
@Suite("Tasks of products") struct ProductTaskTests {
  @Test(arguments: [
    (1, 1, 1), (576, 512, 2), (576, 1024, 64), (192, 1024, 64), (3072, 1024, 64), (1000, 37, 8),
    (64, 4096, 1024), (49_152, 64, 3),
  ])
  func coverEveryOutputOfEveryTokenOnce(_ outputs: Int, _ tokens: Int, _ threads: Int) {
    let tasks = ProductTasks(outputs: outputs, tokens: tokens, threads: threads)
    var area = 0
    var corners: Set<[Int]> = []
    for task in 0..<tasks.count {
      let (rows, columns) = (tasks.outputs(of: task), tasks.tokens(of: task))
      #expect(!rows.isEmpty && !columns.isEmpty)
      #expect(rows.upperBound <= outputs && columns.upperBound <= tokens)
      #expect(corners.insert([rows.lowerBound, columns.lowerBound]).inserted)
      area += rows.count * columns.count
    }
    #expect(area == outputs * tokens && tasks.works.reduce(0, +) == area)
  }

  /// Packing a tile twice costs more than the little that two threads would gain.
  @Test(arguments: [(576, 1024), (1536, 512), (3072, 1024), (192, 512)])
  func twoThreadsShareWholeTiles(_ outputs: Int, _ tokens: Int) {
    let tasks = ProductTasks(outputs: outputs, tokens: tokens, threads: 2)
    #expect((0..<tasks.count).allSatisfy { tasks.tokens(of: $0) == 0..<tokens })
  }

  @Test(arguments: [(192, 1024), (576, 1024), (1024, 512), (3072, 512), (4096, 1024)])
  func keepManyThreadsBusy(_ outputs: Int, _ tokens: Int) {
    for threads in [16, 64] {
      let tasks = ProductTasks(outputs: outputs, tokens: tokens, threads: threads)
      let time = Parallel(threads: threads).makespan(tasks.works)
      let share = Double(outputs * tokens) / Double(threads * time)
      #expect(share >= 0.6, "\(threads) threads: \(share)")
    }
  }

  @Test func aThreadTakesTheNextTaskWhenItIsFree() {
    #expect(Parallel(threads: 2).makespan([5, 3, 3, 1]) == 6)
    #expect(Parallel(threads: 1).makespan([5, 3, 3, 1]) == 12)
    #expect(Parallel(threads: 9).makespan([5, 3]) == 5)
    #expect(Parallel(threads: 2).makespan([]) == 0)
  }

  @Test(arguments: [ElementType.f32, .bf16, .q80])
  func noProductDependsOnTheNumberOfThreads(_ type: ElementType) throws {
    let (rows, columns, tokens) = (200, 256, 300)
    var numbers = Numbers(7)
    let block = try #require(type.block)
    var bytes: [UInt8] = []
    for _ in 0..<rows * columns / block.elements {
      // Random bits, with exponents that make finite numbers of usual size.
      var unit = (0..<block.bytes).map { _ in UInt8(Int(numbers.next() * 50) & 0x7F) }
      switch type {
      case .f32: unit[3] = 0x3D
      case .bf16: unit[1] = 0x3D
      default: unit[1] = 0x20
      }
      bytes += unit
    }
    let place = try TemporaryDirectory()
    let file = try SharedFile(path: place.write("w", bytes))
    let weight = Weight(
      file: file, name: "w", type: type, rows: rows, columns: columns, offset: 0)
    let x = Matrix(rows: tokens, columns: columns)
    for row in 0..<tokens { for column in 0..<columns { x[row, column] = numbers.next() } }
    for kernels in KernelTable.all {
      for precision in Precision.allCases {
        let results = [1, 2, 64].map { threads in
          let engine = Engine(precision, threads: threads, kernels: kernels)
          let out = engine.project(Operand(x, engine), weight)
          return (0..<tokens).map { out.row($0).map(\.bitPattern) }
        }
        #expect(results[0] == results[1] && results[0] == results[2], "\(kernels.name)")
        #expect(results[0].contains { $0.contains { $0 != 0 } })
      }
    }
  }
}
