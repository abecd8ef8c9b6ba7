"""Checks how `lrpatch` unpacks folders that are quantised outside GGUF.

The needle model is stored in each format. The matrices that `lrpatch convert` unpacks are compared bit for bit with
compressed-tensors' own decompression, transformers' for block-scaled 8-bit floats, AutoAWQ's for AWQ, and with the tensors
of llama.cpp's converter where it knows the format. transformers then loads the quantised folder itself, and the
log-probabilities that `lrpatch verify` computes for the folder are compared with those of the converted one.
"""

import ast
import json
import shutil

import torch
import transformers
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import load_file, save_file
from transformers import CompressedTensorsConfig
from transformers.integrations.finegrained_fp8 import Fp8Dequantize

from check_convert import NAME, check_files, convert, convert_with_llama_cpp
from common import NEEDLE, PEERS, TEXT, WORK, Report, lrpatch

FOLDER = WORK / "quantized"
PACKED_LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def linears(tensors):
    return [name for name in tensors if name.endswith(tuple(f"{linear}.weight" for linear in PACKED_LINEARS))]


# --- The formats: each writes a state dictionary and gives the matrices that another library unpacks from it.


def float8(tensors, block, dtype=torch.float8_e4m3fn, scale_dtype=torch.float32):
    """Hugging Face's own 8-bit floats, with scales for blocks, or one for the matrix."""
    stored, expected = dict(tensors), {}
    for name in linears(tensors):
        weight = tensors[name].float()
        rows, columns = weight.shape
        height, width = block or (rows, columns)
        parts = weight.reshape(rows // height, height, columns // width, width)
        scale = (parts.abs().amax(dim=(1, 3)) / torch.finfo(dtype).max).to(scale_dtype)
        stored[name] = (parts / scale.float()[:, None, :, None]).reshape(rows, columns).to(dtype)
        stored[name + "_scale_inv"] = scale if block else scale.reshape(())
        grid = scale if block else scale.reshape(1, 1)
        expected[name] = Fp8Dequantize(None)._dequantize_one(stored[name], grid, torch.bfloat16)
    config = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": list(block) if block else None}
    return stored, config, expected


def compressed(tensors, form, bits, kind, strategy, symmetric=True, group=None, block=None, scale_dtype=torch.bfloat16):
    """compressed-tensors, written and read by its own compressors."""
    arguments = {"num_bits": bits, "type": kind, "strategy": strategy, "symmetric": symmetric, "group_size": group}
    if block:
        arguments["block_structure"] = block
    # Formats of whole bytes are those whose activations are rounded too; transformers recognises them by that.
    inputs = None if form == "pack-quantized" else QuantizationArgs(num_bits=8, type=kind, strategy="token", dynamic=True)
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**arguments), input_activations=inputs)
    compressor = BaseCompressor.get_value_from_registry(form)
    stored, expected = {name: tensor for name, tensor in tensors.items() if name not in linears(tensors)}, {}
    for name in linears(tensors):
        weight = tensors[name].float()
        rows, columns = weight.shape
        height, width = {"tensor": (rows, columns), "channel": (1, columns), "group": (1, group), "block": block}[strategy]
        parts = weight.reshape(rows // height, height, columns // width, width)
        low, high = parts.amin(dim=(1, 3)), parts.amax(dim=(1, 3))
        state = {"weight": tensors[name]}
        if kind == "float":
            scale = torch.maximum(-low, high) / 448
        elif symmetric:
            scale = torch.maximum(-low, high) / ((1 << bits) - 1) * 2
        else:
            scale = (high - low) / ((1 << bits) - 1)
            state["weight_zero_point"] = (torch.round(-low / scale) - (1 << (bits - 1))).clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1).to(torch.int8)
        state["weight_scale"] = (scale.reshape(1) if strategy == "tensor" else scale).to(scale_dtype)
        stem = name.removesuffix("weight")
        written = compressor.compress(state, scheme)
        stored |= {stem + key: value for key, value in written.items()}
        expected[name] = compressor.decompress(dict(written), scheme)["weight"]
    config = {
        "quant_method": "compressed-tensors", "format": form, "quantization_status": "compressed", "ignore": ["lm_head"],
        "config_groups": {"group_0": json.loads(scheme.model_dump_json())},
    }  # fmt: skip
    return stored, config, expected


def words(numbers, bits):
    """Packs the last dimension into 32-bit words, from the lowest bits up."""
    bit = (numbers.to(torch.int64).unsqueeze(-1) >> torch.arange(bits)) & 1
    bit = bit.flatten(-2)
    bit = torch.nn.functional.pad(bit, (0, -bit.shape[-1] % 32)).unflatten(-1, (-1, 32))
    return (bit << torch.arange(32)).sum(-1).to(torch.int32)


def affine(weight, bits, group):
    """Codes, scales and zero points by groups of columns: (rows, columns), (rows, groups), (rows, groups)."""
    rows, columns = weight.shape
    parts = weight.float().reshape(rows, columns // group, group)
    low, high = parts.amin(-1).clamp(max=-1e-4), parts.amax(-1).clamp(min=1e-4)
    scale = ((high - low) / ((1 << bits) - 1)).half()
    zero = torch.round(-low / scale.float()).clamp(1, (1 << bits) - 1)
    codes = (torch.round(parts / scale.float()[..., None]) + zero[..., None]).clamp(0, (1 << bits) - 1)
    return codes.reshape(rows, columns).int(), scale, zero.int()


def gptq(tensors, bits, group, version, reorders=False):
    """GPTQ, whose unpacking is the formula of its paper's code: scale * (code - zero point)."""
    stored, expected = {name: tensor for name, tensor in tensors.items() if name not in linears(tensors)}, {}
    torch.manual_seed(0)
    for name in linears(tensors):
        columns = tensors[name].shape[1]
        order = torch.randperm(columns) if reorders else torch.arange(columns)
        codes, scale, zero = affine(tensors[name][:, order], bits, group)
        index = torch.empty(columns, dtype=torch.int64)
        index[order] = torch.arange(columns) // group
        codes = codes[:, torch.argsort(order)]
        stem = name.removesuffix("weight")
        stored[stem + "qweight"] = words(codes, bits).T.contiguous()
        stored[stem + "qzeros"] = words((zero - int(version == "gptq")).T, bits).contiguous()
        stored[stem + "scales"] = scale.T.contiguous()
        stored[stem + "g_idx"] = index.int()
        expected[name] = scale[:, index] * (codes - zero[:, index]).half()
    return stored, {"quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": reorders, "checkpoint_format": version}, expected


def awq_unpacker():
    """AutoAWQ's dequantize_gemm and what it calls, without importing the package, which needs a GPU library."""
    scope = {"torch": torch}
    source = ast.parse((PEERS / "autoawq/awq/utils/packing_utils.py").read_text())
    exec(compile(source, "packing_utils.py", "exec"), scope)
    return scope["dequantize_gemm"]


def awq(tensors, group):
    unpack = awq_unpacker()
    stored, expected = {name: tensor for name, tensor in tensors.items() if name not in linears(tensors)}, {}
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    for name in linears(tensors):
        codes, scale, zero = affine(tensors[name], 4, group)
        stem = name.removesuffix("weight")

        def packed(numbers):
            return words(numbers.unflatten(-1, (-1, 8))[..., order].flatten(-2), 4).contiguous()

        stored[stem + "qweight"], stored[stem + "qzeros"] = packed(codes.T), packed(zero.T)
        stored[stem + "scales"] = scale.T.contiguous()
        expected[name] = unpack(stored[stem + "qweight"], stored[stem + "qzeros"], stored[stem + "scales"], 4, group).T
    return stored, {"quant_method": "awq", "bits": 4, "group_size": group, "version": "gemm", "zero_point": True}, expected


def cases(tensors):
    """(name, stored tensors and config, whether llama.cpp's converter knows it, whether transformers loads it here)."""
    e5m2 = torch.float8_e5m2
    yield "fp8-block", float8(tensors, (64, 32)), True, True
    yield "fp8-tensor", float8(tensors, None), True, False
    yield "fp8-e5m2", float8(tensors, (64, 128), e5m2, torch.bfloat16), True, False
    yield "ct-int8-channel", compressed(tensors, "int-quantized", 8, "int", "channel"), True, True
    yield "ct-int8-tensor", compressed(tensors, "int-quantized", 8, "int", "tensor"), False, True
    yield "ct-int8-asymmetric", compressed(tensors, "int-quantized", 8, "int", "channel", symmetric=False), False, True
    yield "ct-fp8-channel", compressed(tensors, "float-quantized", 8, "float", "channel"), True, True
    yield "ct-fp8-tensor", compressed(tensors, "float-quantized", 8, "float", "tensor"), False, True
    yield "ct-fp8-block", compressed(tensors, "float-quantized", 8, "float", "block", block=[64, 64]), True, True
    for bits in (2, 3, 4, 5, 6, 8):
        form = compressed(tensors, "pack-quantized", bits, "int", "group", group=32)
        yield f"ct-pack-{bits}", form, 32 % bits == 0, True
    yield "ct-pack-4-asymmetric", compressed(tensors, "pack-quantized", 4, "int", "group", symmetric=False, group=64), True, True
    yield "ct-pack-3-asymmetric", compressed(tensors, "pack-quantized", 3, "int", "group", symmetric=False, group=64), False, True
    yield "ct-pack-4-channel", compressed(tensors, "pack-quantized", 4, "int", "channel", scale_dtype=torch.float16), False, True
    for bits in (2, 3, 4, 8):
        for version in ("gptq", "gptq_v2"):
            yield f"{version}-{bits}", gptq(tensors, bits, 32, version, reorders=bits == 4), bits != 3, False
    yield "awq-32", awq(tensors, 32), False, False
    yield "awq-128", awq(tensors, 128), False, False


def write(name, stored, quantization):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(NEEDLE, folder)
    config = json.load(open(folder / "config.json"))
    config["quantization_config"] = quantization
    json.dump(config, open(folder / "config.json", "w"), indent=2)
    save_file({key: tensor.contiguous() for key, tensor in stored.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def perplexity(model):
    result = lrpatch("verify", model, "--task", "perplexity", "--lengths", "256", "--perplexity", TEXT, "--json", "--no-progress")
    if result.returncode:
        return result.stderr.strip()[:200]
    return [row["perplexity"] for row in json.loads(result.stdout)["perplexities"]]


def losses(model, tokens):
    with torch.no_grad():
        return torch.log_softmax(model(tokens).logits.float(), -1)


def check_loading(report, name, folder, converted):
    """Compares what transformers computes from the quantised folder and from the unpacked one."""
    tokens = torch.arange(2, 130).reshape(1, -1)
    try:
        # Weights alone, because the rounding of activations is left to the runtime.
        weights_alone = {"quantization_config": CompressedTensorsConfig(dequantize=True)} if name.startswith("ct-") else {}
        quantized = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, **weights_alone)
    except Exception as error:
        return report.check(name, "transformers loads the quantised folder", False, str(error)[:200])
    plain = transformers.AutoModelForCausalLM.from_pretrained(converted, dtype=torch.bfloat16)
    difference = (losses(quantized, tokens) - losses(plain, tokens)).abs().max().item()
    report.check(name, "transformers computes the same from both folders", difference == 0, f"{difference:.1e} nats at most")


def check(report, name, form, by_llama_cpp, by_transformers):
    stored, quantization, expected = form
    folder, converted = write(name, stored, quantization), FOLDER / f"{name}.out"
    if not convert(report, name, "to a folder", folder, "-o", converted):
        return
    found = load_file(converted / "model.safetensors")
    wrong = [key for key, matrix in expected.items() if key not in found or found[key].dtype != matrix.dtype or not torch.equal(found[key], matrix)]
    left = sorted(set(found) ^ set(load_file(NEEDLE / "model.safetensors")))
    report.check(name, "matrices equal the reference's, bit for bit", expected and not wrong and not left, f"{len(expected)} matrices; differ: {wrong[:2]} {left[:2]}")
    report.check(name, "the config no longer says quantised", "quantization_config" not in json.load(open(converted / "config.json")))
    own, plain = perplexity(folder), perplexity(converted)
    report.check(name, "verify computes the folder as the converted one", isinstance(own, list) and own == plain, f"{own[0]} and {plain[0]}" if isinstance(own, list) else own)
    if by_llama_cpp:
        kind = "bf16" if next(iter(expected.values())).dtype == torch.bfloat16 else "f16"
        mine, theirs = FOLDER / "mine.gguf", FOLDER / "theirs.gguf"
        if convert(report, name, f"to {kind}", folder, "-o", mine, "--type", kind, "--name", NAME):
            convert_with_llama_cpp(folder, theirs, kind)
            check_files(report, name, "llama.cpp's converter", mine, theirs)
            theirs.unlink(missing_ok=True)
        mine.unlink(missing_ok=True)
    if by_transformers:
        check_loading(report, name, folder, converted)
    shutil.rmtree(folder)
    shutil.rmtree(converted)


def main():
    report = Report("quantised")
    FOLDER.mkdir(exist_ok=True)
    tensors = load_file(NEEDLE / "model.safetensors")
    for name, form, by_llama_cpp, by_transformers in cases(tensors):
        check(report, name, form, by_llama_cpp, by_transformers)
    report.finish()


if __name__ == "__main__":
    main()
