// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "verify-and-search",
  dependencies: [.package(name: "lrpatch", path: "../..")],
  targets: [
    .executableTarget(
      name: "verify-and-search", dependencies: [.product(name: "LRPatchKit", package: "lrpatch")])
  ])
