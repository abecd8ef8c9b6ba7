import CKernels
import Foundation
import TestSupport
import Testing

@testable import Numerics

/// Compares the steps of attention's softmax on every instruction set of this machine.
@Suite("Kernels of attention") struct AttentionKernelTests {
  /// Compares two steps with limits with a plain softmax.
  @Test func stepsOfAttentionGiveTheSoftmax() {
    var numbers = Numbers(9)
    let (rows, columns, width) = (6, 50, 24)
    let scores = numbers.list(rows * columns, scale: 8)
    let last = (0..<rows).map { Int32(20 + 5 * $0) }
    for table in KernelTable.all {
      var maxima = [Float](repeating: -.infinity, count: rows)
      var sums = [Float](repeating: 0, count: rows)
      var out = [Float](repeating: 1, count: rows * width)
      var probabilities = [[Float]](repeating: [], count: rows)
      for start in [0, 25] {
        var part = (0..<rows).flatMap { row in
          scores[row * columns + start..<row * columns + start + 25]
        }
        let first = [Int32](repeating: 0, count: rows)
        let limits = last.map { min(25, max(0, $0 - Int32(start))) }
        out = [Float](repeating: 1, count: rows * width)
        table.functions.pointee.softmax_step(
          &part, 25, rows, 25, first, limits, &maxima, &sums, &out, width, width)
        for row in 0..<rows {
          let correction = out[row * width]
          if start > 0 { probabilities[row] = probabilities[row].map { $0 * correction } }
          probabilities[row] += part[row * 25..<(row + 1) * 25]
        }
      }
      for row in 0..<rows {
        let seen = scores[row * columns..<row * columns + Int(last[row])].map { Double($0) }
        let total = seen.reduce(0) { $0 + exp2(($1 - seen.max()!) * 1.4426950408889634) }
        for (column, score) in seen.enumerated() {
          let wanted = exp2((score - seen.max()!) * 1.4426950408889634) / total
          #expect(
            abs(Double(probabilities[row][column] / sums[row]) - wanted) < 1e-6, "\(table.name)")
        }
        #expect(probabilities[row].dropFirst(seen.count).allSatisfy { $0 == 0 })
      }
    }
  }

  /// Compares one step in bf16, with limits within and between the registers, with exp.
  @Test(arguments: [25, 70, 512]) func stepsInHalvesGiveTheSoftmax(_ columns: Int) {
    var numbers = Numbers(11)
    let stride = (columns + 1) / 2 * 2
    let limits = [(0, columns), (0, 1), (3, 20), (17, columns), (columns - 1, columns), (7, 7)]
    let rows = limits.count
    let scores = numbers.list(rows * columns, scale: 30)
    for table in KernelTable.all {
      var (maxima, sums) = (
        Array(repeating: -Float.infinity, count: rows), Array(repeating: Float(0), count: rows)
      )
      var (part, out) = (scores, [Float](repeating: 1, count: rows))
      var probabilities = [UInt16](repeating: 1, count: rows * stride)
      table.functions.pointee.softmax_step_bf16(
        &part, columns, rows, columns, limits.map { Int32($0.0) }, limits.map { Int32($0.1) },
        &maxima, &sums, &out, 1, 1, &probabilities, stride)
      for (row, (first, last)) in limits.enumerated() {
        let found = probabilities[row * stride..<(row + 1) * stride].map {
          Float(bitPattern: UInt32($0) << 16)
        }
        let greatest = scores[row * columns + first..<row * columns + last].max()
        #expect(maxima[row] == greatest ?? -.infinity, "\(table.name)")
        #expect(abs(sums[row] - found.reduce(0, +)) <= 1e-4 * sums[row], "\(table.name)")
        for column in 0..<stride {
          guard let greatest, (first..<last).contains(column) else {
            #expect(found[column] == 0, "\(table.name), row \(row), column \(column)")
            continue
          }
          let wanted = exp2(Double(scores[row * columns + column] - greatest) * 1.4426950408889634)
          #expect(
            abs(Double(found[column]) - wanted) <= 7e-3 * wanted,
            "\(table.name), row \(row), column \(column)")
        }
      }
    }
  }

  /// A model that computes NaN or infinity must not seem sound.
  @Test(arguments: [Float.nan, .infinity]) func stepsKeepNaN(_ number: Float) {
    for table in KernelTable.all {
      for place in [0, 31, 40, 99] {
        var scores = [Float](repeating: 1, count: 100)
        scores[place] = number
        var (maximum, sum, out) = ([-Float.infinity], [Float(0)], [Float(1)])
        var probabilities = [UInt16](repeating: 0, count: 100)
        table.functions.pointee.softmax_step_bf16(
          &scores, 100, 1, 100, [0], [100], &maximum, &sum, &out, 1, 1, &probabilities, 100)
        #expect(sum[0].isNaN, "\(table.name), \(place)")

        (maximum, sum, out) = ([-.infinity], [0], [1])
        scores = [Float](repeating: 1, count: 100)
        scores[place] = number
        table.functions.pointee.softmax_step(
          &scores, 100, 1, 100, [0], [100], &maximum, &sum, &out, 1, 1)
        #expect(sum[0].isNaN, "\(table.name), \(place)")
      }
    }
  }

  /// Exponentials down to the least normal number are exact, and smaller ones may be 0.
  @Test func stepsReachTheLeastNumbers() {
    let scores: [Float] = [0, -0.1, -1, -30, -86.5, -86.99, -87.01, -88, -103, -200, -.infinity]
    for table in KernelTable.all {
      var (powers, maximum, sum, out) = (scores, [-Float.infinity], [Float(0)], [Float(1)])
      let count = scores.count
      table.functions.pointee.softmax_step(
        &powers, count, 1, count, [0], [Int32(count)], &maximum, &sum, &out, 1, 1)
      for (power, score) in zip(powers, scores) {
        let wanted = exp(Double(score))
        let allowed = score > -87 ? 1e-6 * wanted : wanted
        #expect(abs(Double(power) - wanted) <= allowed, "\(table.name), \(score)")
      }
    }
  }
}
