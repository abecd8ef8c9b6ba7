// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
/// Tests call C and Foundation freely.
let lenient = Array(strict.dropFirst())
/// Only for modules that store or return a span.
let spans = strict + [.enableExperimentalFeature("Lifetimes")]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "lrpatch",
  products: [
    .executable(name: "lrpatch", targets: ["lrpatch"]),
    .library(name: "LRPatchKit", targets: ["Formats", "Patch", "Verify", "Convert", "Search"]),
  ],
  traits: [
    .trait(name: "MPI", description: "`lrpatch search` under mpirun; needs libopenmpi-dev")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "3.12.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CJSONC", pkgConfig: "json-c",
      providers: [.apt(["libjson-c-dev"])]),
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "CMPI", pkgConfig: "ompi",
      providers: [.apt(["libopenmpi-dev"])]),
    .target(name: "CLinux", cSettings: [.enableWarning("all")]),
    .target(
      name: "Formats", dependencies: ["CJSONC", "CLinux", "CZstd", crypto], swiftSettings: spans),
    .target(name: "Patch", dependencies: ["Formats", yams], swiftSettings: strict),
    .target(name: "CKernels", cSettings: [.enableWarning("all")]),
    .target(name: "CTexts", exclude: ["moby-dick.txt.zst", "recipe"], cSettings: [.headerSearchPath(".")]),
    .target(
      name: "Verify", dependencies: ["Formats", "Patch", "CBLAS", "CKernels", "CTexts"],
      swiftSettings: strict),
    .target(name: "Convert", dependencies: ["Formats", "Patch", "Verify"], swiftSettings: strict),
    .target(
      name: "Search",
      dependencies: ["Formats", "Patch", "Verify", .target(name: "CMPI", condition: .when(traits: ["MPI"]))],
      swiftSettings: strict),
    .executableTarget(
      name: "lrpatch", dependencies: ["Formats", "Patch", "Verify", "Convert", "Search", argumentParser],
      swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Formats", "Patch"], path: "Tests/Support",
      swiftSettings: lenient),
    .executableTarget(
      name: "lrpatch-probe", dependencies: ["Formats", "Patch", "Verify"], path: "Tests/Probe", swiftSettings: lenient),
    .testTarget(
      name: "FormatsTests", dependencies: ["Formats", "TestSupport"], swiftSettings: lenient),
    .testTarget(
      name: "PatchTests", dependencies: ["Formats", "Patch", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "VerifyTests", dependencies: ["CKernels", "Formats", "Patch", "Verify", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "ConvertTests", dependencies: ["Convert", "Formats", "Patch", "Verify", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "SearchTests", dependencies: ["Formats", "Patch", "Search", "Verify", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "CommandTests", dependencies: ["Formats", "Patch", "TestSupport", "lrpatch"], exclude: ["Golden"],
      swiftSettings: lenient),
  ],
  swiftLanguageModes: [.v6]
)
