internal import CKernels

/// The C kernels of one instruction set.
@safe package struct KernelTable: @unchecked Sendable {
  // @unchecked Sendable: the table is a constant.
  let functions: UnsafePointer<kernels>

  /// The fastest kernels that this processor supports.
  package static let best = unsafe KernelTable(functions: kernels_best())

  /// All kernels that this processor supports, the portable ones first.
  static var all: [KernelTable] {
    var tables: [KernelTable] = []
    while let table = unsafe kernels_at(Int32(tables.count)) {
      unsafe tables.append(KernelTable(functions: table))
    }
    return tables
  }

  var name: String { unsafe String(cString: functions.pointee.name) }
  /// Whether products of bf16 are faster than products of 32-bit floats.
  var hasBF16Products: Bool { unsafe functions.pointee.has_bf16_products != 0 }

  private init(functions: UnsafePointer<kernels>) { unsafe self.functions = functions }
}
