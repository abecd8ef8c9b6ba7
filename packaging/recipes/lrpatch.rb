# typed: strict
# frozen_string_literal: true

# Puts LongRoPE factors into language models on disk.
class Lrpatch < Formula
  desc "Puts LongRoPE factors into language models on disk"
  homepage "@HOME@"
  url "@URL@"
  version "@VERSION@"
  sha256 "@SHA256@"
  license "Apache-2.0"

  depends_on "patchelf" => :build
  depends_on arch: :x86_64
  depends_on "json-c"
  depends_on :linux
  depends_on "openblas"
  depends_on "zstd"

  def install
    prefix.install "bin", "share"
    system "patchelf", "--set-rpath", "#{HOMEBREW_PREFIX}/lib", bin/"lrpatch"
  end

  test do
    assert_equal version.to_s, shell_output("#{bin}/lrpatch --version").strip
  end
end
