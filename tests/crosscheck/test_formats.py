"""Small floats and block formats against ml_dtypes, NumPy, PyTorch, ONNX, torchao, compressed-tensors and bitsandbytes.

Every comparison takes a million values or all there are, and asks for the same codes without exception.
"""

import importlib
import warnings

import numpy as np
import pytest

from refcompress.formulas.coding import packing
from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.formats import level_table, mx, nvfp4

pytestmark = pytest.mark.crosscheck

COUNT = 1 << 20


def library(name):
    """A module, or the test is skipped; what it warns of while it is imported is not our concern."""
    pytest.importorskip(name.split(".")[0], reason="not installed: python -m pip install '.[crosscheck]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Two cores are soon busy with waiting."""
    torch = library("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def policy(name):
    """The policy of ml_dtypes."""
    return "saturate" if float_format.FORMATS[name].nan == "none" else "nan"


def any_float32(name, *, nan=True):
    """Bit patterns from all over float32, with values in the format's range half of the time."""
    rng, form = np.random.default_rng(3), float_format.FORMATS[name]
    patterns = rng.integers(0, 2**32, COUNT, dtype=np.uint32).view(np.float32)
    low, high = -form.bias - form.mantissa_bits - 2, min(2**form.exponent_bits - form.bias, 126)
    patterns[::2] = rng.standard_normal(COUNT // 2) * 2.0 ** rng.uniform(low, high, COUNT // 2)
    special = np.array([np.nan, np.inf, 0.0, 1e-45, 3e38], np.float32)
    patterns[: 2 * special.size] = np.concatenate([special, -special])
    return patterns if nan and form.nan != "none" else patterns[~np.isnan(patterns)]


def points_of_decision(name, dtype):
    """Every value of the format, every midpoint, and their neighbours; and what lies beyond the largest value."""
    v = float_format.decode(np.arange(1 << float_format.FORMATS[name].bits), name)
    v = np.unique(v[np.isfinite(v)]).astype(np.float64)
    beyond = v[-1] + (v[-1] - v[-2]) * np.array([0.5, 1, 1.5, 2])
    at = np.concatenate([v, (v[1:] + v[:-1]) / 2, beyond, -beyond])
    with np.errstate(over="ignore"):
        at = at.astype(dtype)
        return np.concatenate([at, np.nextafter(at, dtype(np.inf)), np.nextafter(at, dtype(-np.inf))])


def cast(x, name):
    """The codes of ml_dtypes, or of NumPy for its own float16."""
    target = np.float16 if name == "float16" else getattr(library("ml_dtypes"), name)
    with np.errstate(all="ignore"):
        y = x.astype(target)
    return y.view(f"u{y.itemsize}")


@pytest.mark.parametrize("name", float_format.FORMATS)
def test_all_codes_decode_as_in_ml_dtypes(name):
    form = float_format.FORMATS[name]
    codes = np.arange(1 << form.bits, dtype=np.uint8 if form.bits <= 8 else np.uint16)
    target = np.float16 if name == "float16" else getattr(library("ml_dtypes"), name)
    theirs = codes.view(target).astype(np.float32)
    ours = float_format.decode(codes, name)
    np.testing.assert_array_equal(ours, theirs)
    number = ~np.isnan(theirs)
    np.testing.assert_array_equal(np.signbit(ours[number]), np.signbit(theirs[number]))


@pytest.mark.parametrize("name", float_format.FORMATS)
def test_float32_is_cast_as_in_ml_dtypes(name):
    for x in (points_of_decision(name, np.float32), any_float32(name, nan=name != "float16")):  # NumPy keeps a payload
        np.testing.assert_array_equal(float_format.encode(x, name, policy(name)), cast(x, name))


@pytest.mark.parametrize("name", float_format.FORMATS)
def test_float64_that_float32_holds_is_cast_as_in_ml_dtypes(name):
    x = any_float32(name, nan=False)
    np.testing.assert_array_equal(float_format.encode(x.astype(np.float64), name, policy(name)), cast(x, name))


def test_float64_is_rounded_once_as_in_numpy():
    x = np.random.default_rng(4).standard_normal(COUNT) * 2.0 ** np.random.default_rng(5).uniform(-26, 17, COUNT)
    for values in (x, points_of_decision("float16", np.float64)):
        np.testing.assert_array_equal(float_format.encode(values, "float16", "nan"), cast(values, "float16"))


@pytest.mark.parametrize("name", [name for name in float_format.FORMATS if name != "float16"])
def test_ml_dtypes_rounds_float64_twice(name):
    """A fact of ml_dtypes 0.6 that the formula does not share: when this fails, the formula's notes have to change."""
    x = points_of_decision(name, np.float64)
    with np.errstate(all="ignore"):
        by_way_of_float32 = cast(x.astype(np.float32), name)
    np.testing.assert_array_equal(cast(x, name), by_way_of_float32)
    assert (float_format.encode(x, name, policy(name)) != by_way_of_float32).any()


@pytest.mark.parametrize(
    ("name", "overflow"),
    [
        ("float8_e4m3fn", "saturate"),
        ("float8_e4m3fnuz", "nan"),
        ("float8_e5m2", "nan"),
        ("float8_e5m2fnuz", "nan"),
        ("float8_e8m0fnu", "nan"),
        ("bfloat16", "nan"),
        ("float16", "nan"),
    ],
)
def test_torch(name, overflow):
    torch = library("torch")
    x = np.concatenate([points_of_decision(name, np.float32), any_float32(name)])
    x = x[~np.isnan(x)]  # other NaN codes
    if name == "float8_e8m0fnu":
        x = x[x > 0]  # the sign is dropped, and 0 has code 0
    codes = torch.from_numpy(x).to(getattr(torch, name)).view(torch.uint8 if "8" in name else torch.uint16)
    codes = codes.view(torch.int16).numpy().view(np.uint16) if name in ("bfloat16", "float16") else codes.numpy()
    np.testing.assert_array_equal(float_format.encode(x, name, overflow), codes)


@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"])
def test_onnx(name, saturate):
    onnx, reference = library("onnx"), library("onnx.reference")
    to = getattr(onnx.TensorProto, name.replace("_", "").upper())
    make = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Cast", ["x"], ["y"], to=to, saturate=saturate)],
        "cast",
        [make("x", onnx.TensorProto.FLOAT, [None])],
        [make("y", to, [None])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 19)], ir_version=9)
    x = np.concatenate([points_of_decision(name, np.float32), any_float32(name)])
    with np.errstate(all="ignore"):
        codes = reference.ReferenceEvaluator(model).run(None, {"x": x})[0].view(np.uint8)
    np.testing.assert_array_equal(float_format.encode(x, name, "saturate" if saturate else "nan"), codes)


@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize(("mode", "rounding"), [("up", "away"), ("nearest", "half_even"), ("down", "toward_zero")])
def test_onnx_rounds_e8m0_by_its_mode(mode, rounding, saturate):
    """Normal float32 numbers: 0, infinity and what lies below 2^−126 have other codes there."""
    convert = library("onnx.numpy_helper").to_float8e8m0
    x = np.abs(np.concatenate([points_of_decision("float8_e8m0fnu", np.float32), any_float32("float8_e8m0fnu")]))
    x = x[(x >= 2.0**-126) & np.isfinite(x)]
    codes = convert(x, bool(saturate), mode).view(np.uint8)
    ours = float_format.encode(x, "float8_e8m0fnu", "saturate" if saturate else "nan", rounding=rounding)
    np.testing.assert_array_equal(ours, codes)
    if mode == "up":
        np.testing.assert_array_equal(codes, convert(x, bool(saturate)).view(np.uint8))  # it is the default


def test_codes_do_not_change_where_subnormal_numbers_are_flushed():
    torch = library("torch")
    tiny = np.array([3e-39, 1.1e-38, 5e-40, 1e-45, 2.0**-127, 0.0, -0.0, -3e-39, 2.0**-126, 2.0**-104], np.float32)
    arrays = [tiny[i : i + 1] for i in range(tiny.size)] + [tiny, np.array([5e-324, -1e-310, 1e-310, 2.0**-127, 0.0])]
    cases = [(x, name, rule) for x in arrays for name in float_format.FORMATS for rule in float_format.ROUNDINGS]
    expected = [float_format.encode(x, name, rounding=rule).tolist() for x, name, rule in cases]
    assert expected[cases.index((arrays[0], "bfloat16", "half_even"))] == [33]
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor does not flush")
    try:
        assert (tiny[:1] * np.float32(1)).view(np.uint32) == 0
        codes = [float_format.encode(x, name, rounding=rule).tolist() for x, name, rule in cases]
    finally:
        torch.set_flush_denormal(False)
    assert codes == expected


def block_values(size):
    """Blocks of many magnitudes, of small integers with many ties, and of zeros."""
    rng = np.random.default_rng(6)
    x = rng.standard_normal((COUNT // 1024, 1024 // size, size)) * 2.0 ** rng.integers(-90, 90, (1024, 1024 // size, 1))
    x[::4] = rng.integers(-64, 65, x[::4].shape) / 4
    x[7] = 0
    return x.reshape(1024, 1024).astype(np.float32)


@pytest.mark.parametrize("exponent", ["floor", "ceil", "even", "rceil"])
@pytest.mark.parametrize("element", [name for name in mx.ELEMENTS if name != "int8"])
def test_mx_torchao(element, exponent):
    torch, theirs = library("torch"), library("torchao.prototype.mx_formats.mx_tensor")
    mode = library("torchao.prototype.mx_formats.config").ScaleCalculationMode[exponent.upper()]
    names = {"float6_e2m3fn": "fp6_e2m3", "float6_e3m2fn": "fp6_e3m2", "float4_e2m1fn": torch.float4_e2m1fn_x2}
    kind = names.get(element) or getattr(torch, element)
    x = block_values(32)
    their_scales, packed = theirs.to_mx(torch.from_numpy(x), kind, 32, mode)
    their_codes = theirs.unpack_uint4(packed) if element == "float4_e2m1fn" else packed.view(torch.uint8)
    codes, scales = mx.quantize(x, element, exponent=exponent)
    np.testing.assert_array_equal(scales, their_scales.view(torch.uint8).numpy())
    np.testing.assert_array_equal(codes, their_codes.numpy().reshape(x.shape))
    values = theirs.to_dtype(packed, their_scales, kind, 32, torch.float32)
    np.testing.assert_array_equal(mx.dequantize(codes, scales, element), values.numpy())


@pytest.mark.parametrize(
    ("element", "bits", "exponent"),
    [("float4_e2m1fn", 4, "even"), ("float6_e2m3fn", 6, "even"), ("float8_e4m3fn", 8, "even_one_bit")],
)
def test_mx_scales_of_compressed_tensors(element, bits, exponent):
    torch = library("torch")
    theirs = library("compressed_tensors.quantization.utils.mxfp_utils")
    x = np.random.default_rng(8).standard_normal((COUNT // 32, 32)).astype(np.float32)
    x *= 2.0 ** np.random.default_rng(9).integers(-90, 90, (COUNT // 32, 1)).astype(np.float32)
    scales = theirs.generate_mx_scales(torch.from_numpy(np.abs(x).max(axis=1)), bits)
    np.testing.assert_array_equal(mx.quantize(x, element, exponent=exponent)[1][:, 0], scales.numpy())


def test_nvfp4_torchao():
    torch, theirs = library("torch"), library("torchao.prototype.mx_formats.nvfp4_tensor")
    x = block_values(16)
    for tensor_scale in (None, 2.0**60, 0.37):
        codes, block_scales, t = nvfp4.quantize(x, tensor_scale=tensor_scale)
        amax = torch.from_numpy(x).abs().max()
        their_t = theirs.per_tensor_amax_to_scale(amax) if tensor_scale is None else torch.tensor(tensor_scale)
        their_scales, packed = theirs.nvfp4_quantize(torch.from_numpy(x), 16, their_t)
        tensor = theirs.NVFP4Tensor.to_nvfp4(torch.from_numpy(x), 16, their_t)
        assert t == their_t.numpy()
        np.testing.assert_array_equal(block_scales, their_scales.view(torch.uint8).numpy().reshape(1024, 64))
        np.testing.assert_array_equal(codes, theirs.unpack_uint4(packed).numpy())
        np.testing.assert_array_equal(nvfp4.dequantize(codes, block_scales, t), tensor.dequantize(torch.float32))


def test_nvfp4_compressed_tensors():
    torch, utils = library("torch"), library("compressed_tensors.quantization.utils")
    forward = library("compressed_tensors.quantization.lifecycle.forward_helpers")
    options = library("compressed_tensors.quantization").QuantizationArgs(
        num_bits=4,
        type="float",
        strategy="tensor_group",
        group_size=16,
        scale_dtype=torch.float8_e4m3fn,
        zp_dtype=torch.float8_e4m3fn,
    )
    pack = library("compressed_tensors.compressors.nvfp4.helpers").pack_fp4_to_uint8
    x = block_values(16)
    x[::3, ::5] = -0.0  # its element is 0
    x[1::3, ::7] *= np.float32(-1e-9)  # and −0 is that of a negative number
    blocks = torch.from_numpy(x).reshape(1024, 64, 16)
    their_t = utils.generate_gparam(blocks.amin(), blocks.amax())
    their_scales, _ = utils.calculate_qparams(blocks.amin(-1), blocks.amax(-1), options, global_scale=their_t)
    scale, six = their_scales.unsqueeze(-1), torch.tensor(6.0)
    elements = forward._quantize(blocks, scale, None, -six, six, options, global_scale=their_t)
    values = forward._dequantize(elements, scale, None, global_scale=their_t)
    codes, block_scales, t = nvfp4.quantize(x, arithmetic="compressed_tensors")
    assert t == their_t.numpy()
    np.testing.assert_array_equal(float_format.decode(block_scales, "float8_e4m3fn"), their_scales.numpy())
    np.testing.assert_array_equal(float_format.decode(codes, "float4_e2m1fn"), elements.numpy().reshape(x.shape))
    packed = pack(elements.reshape(1024, 1024)).numpy()
    np.testing.assert_array_equal(packing.pack(codes, 4), packed.ravel())
    assert (codes == 8).sum() > 1000
    assert ((codes == 0) & np.signbit(x)).sum() > 1000
    ours = nvfp4.dequantize(codes, block_scales, t, arithmetic="compressed_tensors")
    np.testing.assert_array_equal(ours, values.numpy().reshape(x.shape))


@pytest.mark.parametrize("block_size", [32, 64, 128])
@pytest.mark.parametrize(("levels", "kind"), [("nf4", "nf4"), ("bitsandbytes_fp4", "fp4")])
def test_level_table_bitsandbytes(levels, kind, block_size):
    torch, theirs = library("torch"), library("bitsandbytes.functional")
    c = level_table.LEVELS[levels]
    np.testing.assert_array_equal(c, theirs.get_4bit_type(kind, device="cpu").numpy())
    ascending = np.unique(c)
    bounds = (ascending[1:] + ascending[:-1]) / 2  # and one ulp to each side, in blocks of absmax 2^k: t is exact
    decisive = np.concatenate([bounds, np.nextafter(bounds, np.float32(2)), np.nextafter(bounds, np.float32(-2))])
    blocks = np.resize(decisive, (200, block_size)) * 2.0 ** np.arange(-100, 100)[:, None]
    blocks[:, 0] = 2.0 ** np.arange(-100, 100)
    x = np.concatenate([blocks.ravel(), block_values(block_size).ravel()]).astype(np.float32)
    packed, state = theirs.quantize_4bit(torch.from_numpy(x), quant_type=kind, blocksize=block_size)
    their_codes = torch.stack([packed.flatten() >> 4, packed.flatten() & 15], -1).flatten()
    codes, absmax = level_table.quantize(x, levels, block_size=block_size)
    np.testing.assert_array_equal(absmax, state.absmax.numpy())
    np.testing.assert_array_equal(codes, their_codes.numpy())
    values = theirs.dequantize_4bit(packed, state).flatten()
    np.testing.assert_array_equal(level_table.dequantize(codes, absmax, levels, block_size=block_size), values.numpy())
