# Called with `callPackage ./lrpatch.nix { }`.
{ lib, stdenv, fetchurl, autoPatchelfHook, json_c, openblas, zstd }:

stdenv.mkDerivation rec {
  pname = "lrpatch";
  version = "@VERSION@";

  src = fetchurl {
    url = "@URL@";
    sha256 = "@SHA256@";
  };

  nativeBuildInputs = [ autoPatchelfHook ];
  buildInputs = [ json_c openblas stdenv.cc.cc.lib zstd ];
  dontBuild = true;

  installPhase = ''
    runHook preInstall
    mkdir -p $out
    cp -r bin share $out/
    runHook postInstall
  '';

  doInstallCheck = true;
  installCheckPhase = "$out/bin/lrpatch --version | grep -xF ${version}";

  meta = {
    description = "Puts LongRoPE factors into language models on disk";
    homepage = "@HOME@";
    license = lib.licenses.asl20;
    mainProgram = "lrpatch";
    platforms = [ "x86_64-linux" ];
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
  };
}
