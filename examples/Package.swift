// swift-tools-version: 6.2
import PackageDescription

let kit = Target.Dependency.product(name: "LRPatchKit", package: "lrpatch")

let package = Package(
  name: "lrpatch-examples",
  dependencies: [.package(name: "lrpatch", path: "..")],
  targets: [
    .executableTarget(name: "patch-gguf", dependencies: [kit]),
    .executableTarget(name: "verify-and-search", dependencies: [kit]),
  ])
