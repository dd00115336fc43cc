"""ONNX's own node tests of its quantization operators: every case of every dtype, equal to the last bit."""

import re
import warnings

import numpy as np
import pytest

from refcompress.formulas.quantization import affine, float_format, integer
from refcompress.formulas.quantization.integer import quantized_conv2d, quantized_matmul

onnx = pytest.importorskip("onnx")
loader = pytest.importorskip("onnx.backend.test.loader")
pytestmark = pytest.mark.crosscheck

CASES = {  # of onnx 1.23; three of DynamicQuantizeLinear are its function's body, with the same inputs and outputs
    "QuantizeLinear": 13,
    "DequantizeLinear": 14,
    "DynamicQuantizeLinear": 6,
    "QLinearConv": 1,
    "QLinearMatMul": 8,
    "ConvInteger": 2,
    "MatMulInteger": 1,
}
RANGES = {
    "uint2": (0, 3), "int2": (-2, 1), "uint4": (0, 15), "int4": (-8, 7),
    "uint8": (0, 255), "int8": (-128, 127), "uint16": (0, 65535), "int16": (-32768, 32767),
}  # fmt: skip
FLOATS = ("float8_e4m3fn", "float8_e5m2", "float4_e2m1fn")


# ---- the operators, by the package ----


def quantize_linear(x, scale, zero_point=None, *, axis=1, block_size=0, output_dtype=0, saturate=1):
    """Codes in the dtype that ONNX wants; a 4-bit code is one element."""
    dtype = onnx.helper.tensor_dtype_to_np_dtype(output_dtype) if zero_point is None else zero_point.dtype
    if dtype.name in FLOATS:
        assert not np.any(zero_point.astype(np.float32))
        overflow = "saturate" if saturate else "nan"
        quotient = x / spread(scale, x.shape, axis, block_size)
        if dtype.name == "float4_e2m1fn":
            quotient += 0.0  # ONNX adds the zero point here, which is 0, and not to float8: −0 becomes 0
        codes = float_format.encode(quotient, dtype.name, overflow)
        return codes.astype(np.uint8).view(dtype)
    low, high = RANGES[dtype.name]
    scale, options = granularity(scale, axis, block_size)
    zero_point = np.zeros(scale.shape, int) if zero_point is None else zero_point.astype(int).reshape(scale.shape)
    return affine.quantize(x, scale, zero_point, low, high, "onnx", **options).astype(dtype)


def dequantize_linear(q, scale, zero_point=None, *, axis=1, block_size=0):
    if q.dtype.name in FLOATS:
        assert zero_point is None or not np.any(zero_point.astype(np.float32))
        values = float_format.decode(q.view(np.uint8), q.dtype.name)
        return (values * spread(scale, q.shape, axis, block_size)).astype(scale.dtype)
    scale, options = granularity(scale, axis, block_size)
    zero_point = np.zeros(scale.shape, int) if zero_point is None else zero_point.astype(int).reshape(scale.shape)
    return affine.dequantize(q.astype(np.int32), scale, zero_point, "onnx", **options)


def granularity(scale, axis, block_size):
    """Scale without the dimension that ONNX gives some scalars, and the options of `affine`."""
    if scale.size == 1:
        return scale.reshape(()), {}
    return scale, {"axis": axis} | ({"block_size": block_size} if block_size else {})


def spread(scale, shape, axis, block_size):
    """Scale in a shape that broadcasts to `shape`."""
    if scale.size == 1:
        return scale.reshape(())
    if block_size:
        return np.repeat(scale, block_size, axis)[tuple(map(slice, shape))]
    return scale.reshape([-1 if i == axis else 1 for i in range(len(shape))])


def dynamic_quantize_linear(x):
    scale, zero_point = affine.choose(x.min(), x.max(), 0, 255, "onnx")
    q = affine.quantize(x, scale, zero_point, 0, 255, "onnx")
    return q, np.asarray(scale), np.asarray(zero_point).astype(np.uint8)


def matmul_integer(a, b, a_zero_point=0, b_zero_point=0):
    return integer.matmul(a, b, scalar(a_zero_point), scalar(b_zero_point))


def conv_integer(x, w, x_zero_point=0, w_zero_point=0, *, pads=(0, 0, 0, 0)):
    return integer.conv2d(x, w, scalar(x_zero_point), w_zero_point, padding=tuple(pads))


def qlinear_matmul(a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point):
    """Stacks of matrices are multiplied one by one; float16 scales are exact in float32."""
    if a.ndim > 2:
        rest = (a_scale, a_zero_point), (b_scale, b_zero_point, y_scale, y_zero_point)
        return np.stack([qlinear_matmul(m, *rest[0], n, *rest[1]) for m, n in zip(a, b, strict=True)])
    scales = {
        name: scalar(s).astype(np.float32)
        for name, s in (("a_scale", a_scale), ("b_scale", b_scale), ("out_scale", y_scale))
    }
    points = {"a_zero_point": a_zero_point, "b_zero_point": b_zero_point, "out_zero_point": y_zero_point}
    points = {name: scalar(z) for name, z in points.items()}
    return quantized_matmul.matmul(a, b, rounding="float", dtype=y_zero_point.dtype, **scales, **points)


def qlinear_conv(x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point):
    return quantized_conv2d.conv2d(
        x, w, x_scale=x_scale, w_scale=w_scale, out_scale=y_scale, x_zero_point=x_zero_point,
        w_zero_point=w_zero_point, out_zero_point=y_zero_point, rounding="float", dtype=y_zero_point.dtype,
    )  # fmt: skip


def scalar(value):
    """What ONNX writes as one element of one dimension."""
    return np.asarray(value).reshape(()) if np.size(value) == 1 else value


OPERATORS = {
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "ConvInteger": conv_integer,
    "MatMulInteger": matmul_integer,
}


# ---- the cases ----


@pytest.fixture(scope="module")
def cases():
    """Every node test that ONNX has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases divide by zero
        return loader.load_model_tests(kind="node")


def named_after(operator, cases):
    return [case for case in cases if re.match(rf"test_{operator.lower()}(_|$)", case.name)]


def arrays(values):
    return [onnx.numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else np.asarray(v) for v in values]


def check(operator, case):
    """The package's outputs of every data set of the case are ONNX's, with type and shape, byte by byte."""
    attributes = {}
    if not case.name.endswith("_expanded"):
        (node,) = case.model.graph.node
        assert node.op_type == operator
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert case.data_sets
    for inputs, outputs in case.data_sets:
        ours, theirs = OPERATORS[operator](*arrays(inputs), **attributes), arrays(outputs)
        for out, expected in zip(ours if isinstance(ours, tuple) else (ours,), theirs, strict=True):
            assert (case.name, out.dtype, out.shape) == (case.name, expected.dtype, expected.shape)
            assert (case.name, out.tobytes()) == (case.name, expected.tobytes())


@pytest.mark.parametrize("operator", OPERATORS)
def test_operator(operator, cases):
    found = named_after(operator, cases)
    for case in found:
        check(operator, case)
    assert found
    assert len(found) == CASES[operator] or not onnx.__version__.startswith("1.23.")


def test_no_case_is_left_out(cases):
    """Cases are found by name; here by the nodes of their models."""
    with_operators = {case.name for case in cases if {node.op_type for node in case.model.graph.node} & set(OPERATORS)}
    assert {case.name for operator in OPERATORS for case in named_after(operator, cases)} == with_operators


def test_a_wrong_operator_is_seen(monkeypatch, cases):
    """One element is off by one."""
    right = OPERATORS["ConvInteger"]
    monkeypatch.setitem(OPERATORS, "ConvInteger", lambda *a, **k: right(*a, **k) + np.eye(4, 4, 3, dtype=np.int32))
    (case,) = (case for case in cases if case.name == "test_convinteger_with_padding")
    with pytest.raises(AssertionError):
        check("ConvInteger", case)
