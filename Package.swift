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
let mpi = Target.Dependency.target(name: "CMPI", condition: .when(traits: ["MPI"]))

let package = Package(
  name: "lrpatch",
  products: [
    .executable(name: "lrpatch", targets: ["lrpatch"]),
    .library(
      name: "LRPatchKit",
      targets: [
        "Formats", "Models", "Patch", "Numerics", "Inference", "Convert", "Verify", "Search",
        "Release",
      ]),
  ],
  traits: [
    .trait(name: "MPI", description: "search and verify under mpirun; needs libopenmpi-dev")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "3.12.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries and C code.
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
    .target(name: "CKernels", cSettings: [.enableWarning("all")]),
    .target(
      name: "CTexts", exclude: ["moby-dick.txt.zst", "recipe"],
      cSettings: [.headerSearchPath(".")]),

    // The library, from the bottom up; specs/design.md says what each module owns.
    .target(
      name: "Formats", dependencies: ["CJSONC", "CLinux", "CZstd", crypto], swiftSettings: spans),
    .target(name: "Models", dependencies: ["Formats"], swiftSettings: strict),
    .target(name: "Patch", dependencies: ["Formats", "Models"], swiftSettings: strict),
    .target(
      name: "Numerics", dependencies: ["Formats", "CBLAS", "CKernels"], swiftSettings: strict),
    .target(
      name: "Inference", dependencies: ["Formats", "Models", "Patch", "Numerics"],
      swiftSettings: strict),
    .target(
      name: "Convert", dependencies: ["Formats", "Models", "Patch", "Numerics", "Inference"],
      swiftSettings: strict),
    .target(
      name: "Verify",
      dependencies: ["Formats", "Models", "Patch", "Numerics", "Inference", "CTexts", mpi],
      swiftSettings: strict),
    .target(
      name: "Search",
      dependencies: ["Formats", "Models", "Patch", "Numerics", "Inference", "Verify"],
      swiftSettings: strict),

    .target(
      name: "Release", dependencies: ["Formats", "Models", "Patch", "Verify", yams],
      swiftSettings: strict),

    // The program.
    .executableTarget(
      name: "lrpatch",
      dependencies: [
        "Formats", "Models", "Patch", "Numerics", "Inference", "Convert", "Verify", "Search",
        "Release", argumentParser,
      ],
      swiftSettings: strict),

    // Tests, and what scripts ask of the library beyond the program.
    .target(
      name: "TestSupport", dependencies: ["Formats", "Models", "Patch"], path: "Tests/Support",
      swiftSettings: lenient),
    .executableTarget(
      name: "lrpatch-probe",
      dependencies: [
        "Formats", "Models", "Patch", "Numerics", "Inference", "Verify", "FuzzTargets",
        "TestSupport",
      ],
      path: "Tests/Probe", swiftSettings: lenient),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Convert", "Formats", "Inference", "Models", "Patch", "Release", "Search", "Verify",
        "TestSupport",
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: lenient),
    .testTarget(
      name: "FormatsTests", dependencies: ["Formats", "TestSupport"], exclude: ["Golden"],
      swiftSettings: lenient),
    .testTarget(
      name: "ModelsTests", dependencies: ["Formats", "Models", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "PatchTests", dependencies: ["Formats", "Models", "Patch", "TestSupport"],
      exclude: ["Golden"], swiftSettings: lenient),
    .testTarget(
      name: "NumericsTests", dependencies: ["CKernels", "Formats", "Numerics", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "InferenceTests",
      dependencies: ["Formats", "Models", "Patch", "Numerics", "Inference", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "VerifyTests",
      dependencies: [
        "Formats", "Models", "Patch", "Numerics", "Inference", "Verify", "TestSupport",
      ],
      swiftSettings: lenient),
    .testTarget(
      name: "ConvertTests",
      dependencies: [
        "Convert", "Formats", "Models", "Patch", "Numerics", "Inference", "TestSupport",
      ],
      swiftSettings: lenient),
    .testTarget(
      name: "SearchTests",
      dependencies: [
        "Formats", "Models", "Patch", "Numerics", "Inference", "Search", "Verify", "TestSupport",
      ],
      swiftSettings: lenient),
    .testTarget(
      name: "ReleaseTests",
      dependencies: ["Formats", "Models", "Patch", "Verify", "Release", "TestSupport"],
      swiftSettings: lenient),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Formats", "Models", "Patch", "Numerics", "Convert", "Inference", "Search", "Verify",
        "FuzzTargets", "TestSupport", "lrpatch",
      ],
      exclude: ["Golden"], swiftSettings: lenient),
  ],
  swiftLanguageModes: [.v6]
)

// The fuzzer links only with `--sanitize fuzzer`; `make fuzz` builds it.
if Context.environment["LRPATCH_FUZZ"] != nil {
  package.targets += [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    .executableTarget(
      name: "lrpatch-fuzz", dependencies: ["CLibFuzzer", "FuzzTargets"],
      path: "Tests/Fuzz/Program", swiftSettings: lenient),
  ]
}
