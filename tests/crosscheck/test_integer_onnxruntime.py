"""Integer operators against ONNX Runtime on random integers: equal in every output.

Measured with 1.32 on x86 with AVX2 and VNNI. Without VNNI its products of uint8 by int8 saturate (its documentation of
U8S8 says so), which is no matter of conventions. QLinearAdd has one order of operations for each instruction set.
"""

import platform

import numpy as np
import pytest

from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import (
    quantized_add,
    quantized_average_pool2d,
    quantized_conv2d,
    quantized_matmul,
)

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = [
    pytest.mark.crosscheck,
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the orders of operations of x86"),
]

PAIRS = [(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)]  # what its kernels take: no int8 by uint8
ROUNDS = range(12)
ENOUGH = 30_000  # outputs that every test compares at least


def run(operator, inputs, out_type, domain="", **attributes):
    """One node, run once on one thread."""
    names = [f"input{i}" for i in range(len(inputs))]
    types = [onnx.helper.np_dtype_to_tensor_dtype(a.dtype) for a in inputs]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, names, ["out"], domain=domain, **attributes)],
        "graph",
        [onnx.helper.make_tensor_value_info(n, t, a.shape) for n, t, a in zip(names, types, inputs, strict=True)],
        [onnx.helper.make_tensor_value_info("out", onnx.helper.np_dtype_to_tensor_dtype(np.dtype(out_type)), None)],
    )
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


def codes(rng, dtype, shape=()):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def scale(rng, round_, size=None):
    """A float32, in every third round a power of two, so that ties occur."""
    return np.asarray(
        2.0 ** rng.integers(-6, -2, size) if round_ % 3 == 0 else rng.uniform(0.01, 0.1, size), np.float32
    )


def out_scale(round_, acc, product):
    """So that the codes use their range, and some saturate."""
    s = np.abs(acc).max() * np.max(product) / 100
    return np.asarray(2.0 ** np.round(np.log2(s)) if round_ % 3 == 0 else s, np.float32)


def assert_equal(ours, theirs):
    """Every output; returns how many."""
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    wrong = np.count_nonzero(ours != theirs)
    assert wrong == 0, f"{wrong} of {theirs.size} outputs differ"
    return theirs.size


def images(rng, types):
    """Images, filters, zero points and the geometry of one convolution, in ONNX's names."""
    groups = int(rng.choice([1, 2, 4]))
    x, w = codes(rng, types[0], (2, 4, 19, 17)), codes(rng, types[1], (8, 4 // groups, 3, 2))
    z_w = codes(rng, types[1]) if types[1] == np.uint8 else np.int8(0)  # what the operator takes
    geometry = {
        "pads": [int(p) for p in rng.integers(0, 3, 4)],
        "strides": [int(s) for s in rng.integers(1, 3, 2)],
        "dilations": [int(d) for d in rng.integers(1, 3, 2)],
        "group": groups,
    }
    return x, w, codes(rng, types[0]), np.asarray(z_w), geometry


def renamed(geometry):
    names = {"pads": "padding", "strides": "stride", "dilations": "dilation"}
    return {
        names[k]: tuple(v) for k, v in geometry.items() if k in names
    } | {"groups": geometry["group"]}  # fmt: skip


def matrices(rng, types):
    M, K, N = 151, int(rng.integers(1, 400)), 67
    return codes(rng, types[0], (M, K)), codes(rng, types[1], (K, N)), codes(rng, types[0]), codes(rng, types[1])


@pytest.mark.parametrize("types", PAIRS, ids=str)
@pytest.mark.parametrize("per_column", [False, True])
def test_matmul_integer(types, per_column):
    rng, compared = np.random.default_rng(1), 0
    for _ in ROUNDS:
        a, b, z_a, z_b = matrices(rng, types)
        if per_column:
            z_b = codes(rng, types[1], b.shape[1])
        theirs = run("MatMulInteger", [a, b, np.asarray(z_a), np.asarray(z_b)], np.int32)
        compared += assert_equal(integer.matmul(a, b, z_a, z_b), theirs)
        assert_equal(integer.matmul(a, integer.prepare(b), z_a, z_b), theirs)
    assert compared >= ENOUGH


@pytest.mark.parametrize("types", [(np.uint8, np.uint8), (np.uint8, np.int8)], ids=str)
def test_conv_integer(types):
    rng, compared = np.random.default_rng(2), 0
    for _ in ROUNDS:
        x, w, z_x, z_w, geometry = images(rng, types)
        theirs = run("ConvInteger", [x, w, np.asarray(z_x), z_w], np.int32, **geometry)
        compared += assert_equal(integer.conv2d(x, w, z_x, z_w, **renamed(geometry)), theirs)
    assert compared >= ENOUGH


@pytest.mark.parametrize("types", PAIRS, ids=str)
@pytest.mark.parametrize("per_column", [False, True])
def test_qlinear_matmul(types, per_column):
    """Rounding "float"."""
    rng, compared = np.random.default_rng(3), 0
    for round_ in ROUNDS:
        a, b, z_a, z_b = matrices(rng, types)
        columns = b.shape[1] if per_column else None
        z_y, s_a, s_b = codes(rng, types[0]), scale(rng, round_), scale(rng, round_, columns)
        if per_column:
            z_b = codes(rng, types[1], columns)
        s_y = out_scale(round_, integer.matmul(a, b, z_a, z_b), s_a * s_b)
        inputs = [np.asarray(v) for v in (a, s_a, z_a, b, s_b, z_b, s_y, z_y)]
        ours = quantized_matmul.matmul(
            a, b, a_scale=s_a, b_scale=s_b, out_scale=s_y, a_zero_point=z_a, b_zero_point=z_b, out_zero_point=z_y,
            rounding="float",
        )  # fmt: skip
        compared += assert_equal(ours, run("QLinearMatMul", inputs, types[0]))
    assert compared >= ENOUGH


@pytest.mark.parametrize("types", PAIRS, ids=str)
def test_qlinear_conv(types):
    """Rounding "float", one scale for every filter."""
    rng, compared = np.random.default_rng(4), 0
    for round_ in ROUNDS:
        x, w, z_x, z_w, geometry = images(rng, types)
        z_y, s_x, s_w = codes(rng, types[0]), scale(rng, round_), scale(rng, round_, len(w))
        bias = rng.integers(-20_000, 20_001, len(w)).astype(np.int32)
        s_y = out_scale(round_, integer.conv2d(x, w, z_x, z_w, **renamed(geometry)), s_x * s_w)
        zeros = np.full(len(w), z_w, types[1])
        inputs = [np.asarray(v) for v in (x, s_x, z_x, w, s_w, zeros, s_y, z_y, bias)]
        ours = quantized_conv2d.conv2d(
            x, w, bias, x_scale=s_x, w_scale=s_w, out_scale=s_y, x_zero_point=z_x, w_zero_point=z_w,
            out_zero_point=z_y, rounding="float", **renamed(geometry),
        )  # fmt: skip
        compared += assert_equal(ours, run("QLinearConv", inputs, types[0], **geometry))
    assert compared >= ENOUGH


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_qlinear_add(dtype):
    """Rounding "float": fused multiply-adds, the zero point inside of the rounding."""
    rng, compared = np.random.default_rng(5), 0
    for round_ in ROUNDS:
        a, b = (codes(rng, dtype, 20_011) for _ in range(2))
        z_a, z_b, z_y = (codes(rng, dtype) for _ in range(3))
        s_a, s_b = scale(rng, round_), scale(rng, round_)
        s_y = out_scale(round_, np.array([160]), s_a + s_b)
        inputs = [np.asarray(v) for v in (a, s_a, z_a, b, s_b, z_b, s_y, z_y)]
        ours = quantized_add.add(
            a, b, a_scale=s_a, b_scale=s_b, out_scale=s_y, a_zero_point=z_a, b_zero_point=z_b, out_zero_point=z_y,
            rounding="float",
        )  # fmt: skip
        compared += assert_equal(ours, run("QLinearAdd", inputs, dtype, "com.microsoft"))
    assert compared >= ENOUGH


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_qlinear_average_pool(dtype):
    """Rounding "float", the zero point added before rounding."""
    rng, compared = np.random.default_rng(6), 0
    for round_ in ROUNDS:
        x, z_x, z_y = codes(rng, dtype, (2, 5, 43, 37)), codes(rng, dtype), codes(rng, dtype)
        s_x = scale(rng, round_)
        s_y = np.asarray(s_x * (1 if round_ % 3 == 0 else rng.uniform(0.4, 1.5)), np.float32)
        kernel = tuple(int(k) for k in rng.integers(1, 5, 2))
        padding = tuple(int(rng.integers(0, kernel[i % 2])) for i in range(4))
        stride = tuple(int(s) for s in rng.integers(1, 3, 2))
        inputs = [np.asarray(v) for v in (x, s_x, z_x, s_y, z_y)]
        geometry = {"kernel_shape": kernel, "pads": padding, "strides": stride}
        ours = quantized_average_pool2d.average_pool2d(
            x, kernel, stride=stride, padding=padding, rounding="float", x_scale=s_x, out_scale=s_y, x_zero_point=z_x,
            out_zero_point=z_y,
        )  # fmt: skip
        theirs = run("QLinearAveragePool", inputs, dtype, "com.microsoft", **geometry)
        compared += assert_equal(ours, theirs)
    assert compared >= ENOUGH


def test_the_comparison_tells_the_roundings_apart():
    """The other two differ somewhere, and so would a zero point added before rounding."""
    rng = np.random.default_rng(7)
    a, b, z_a, z_b = matrices(rng, PAIRS[0])
    s = np.float32(0.25)
    s_y = out_scale(0, integer.matmul(a, b, z_a, z_b), s * s)
    inputs = [np.asarray(v) for v in (a, s, z_a, b, s, z_b, s_y, np.uint8(7))]
    theirs = run("QLinearMatMul", inputs, np.uint8)
    options = {"a_scale": s, "b_scale": s, "out_scale": s_y, "a_zero_point": z_a, "b_zero_point": z_b}
    for rounding in ("double", "single"):
        ours = quantized_matmul.matmul(a, b, out_zero_point=7, rounding=rounding, **options)
        with pytest.raises(AssertionError, match="outputs differ"):
            assert_equal(ours, theirs)
    real = integer.matmul(a, b, z_a, z_b) * (float(s) * float(s) / float(s_y))
    assert np.any(np.clip(np.rint(real + 7), 0, 255) != theirs)
