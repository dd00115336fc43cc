"""Integer operators by ONNX Runtime, and where it has none by ONNX's reference evaluator and PyTorch."""

import importlib

import numpy as np

from tests.crosscheck.vectors.row import library, row, tensor


def onnxruntime(operator, inputs, out_type=np.int8, domain="", **attributes):
    for name in ("onnx", "onnxruntime"):
        library(name)  # without which their file is skipped
    theirs = importlib.import_module("tests.crosscheck.test_integer_onnxruntime")
    return theirs.run(operator, [np.asarray(array) for array in inputs], out_type, domain, **attributes)


def onnx_reference(operator, inputs, out_type, **attributes):
    onnx, names = library("onnx"), [f"x{i}" for i in range(len(inputs))]
    make, kind = onnx.helper.make_tensor_value_info, onnx.helper.np_dtype_to_tensor_dtype
    ends = [make(name, kind(array.dtype), None) for name, array in zip(names, inputs, strict=True)]
    node = onnx.helper.make_node(operator, names, ["y"], **attributes)
    graph = onnx.helper.make_graph([node], "one", ends, [make("y", out_type, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    evaluator = library("onnx.reference").ReferenceEvaluator(model)
    return evaluator.run(None, dict(zip(names, inputs, strict=True)))[0]


def operand(case, name):
    """Codes, if it is an input, scale, if it has one, and zero point in its shape and the codes' dtype."""
    codes, scale, zero_point = (case.get(key) for key in (name, f"{name}_scale", f"{name}_zero_point"))
    dtype = np.int8 if codes is None else codes.dtype
    zero_point = np.full(np.shape(zero_point if scale is None else scale), zero_point, dtype)
    return [part for part in (codes, scale, zero_point) if part is not None]


def geometry(stride, padding, dilation, groups):
    return {"strides": list(stride), "pads": list(padding), "dilations": list(dilation), "group": groups}


@row("products.matmul", None, "onnxruntime")
def matmul_integer(**case):
    (a, a_zero_point), (b, b_zero_point) = operand(case, "a"), operand(case, "b")
    return onnxruntime("MatMulInteger", [a, b, a_zero_point, b_zero_point], np.int32)


@row("products.matmul_per_axis", None, "onnx")
def matmul_integer_reference(a, b, a_zero_point, b_zero_point):
    inputs = [a, b, a_zero_point[:, None].astype(a.dtype), b_zero_point.astype(b.dtype)]
    return onnx_reference("MatMulInteger", inputs, library("onnx").TensorProto.INT32)


@row("products.matmul_int16", None, "torch")
def matmul_int64(a, b, a_zero_point, b_zero_point):
    return (tensor(a).long() - a_zero_point) @ (tensor(b).long() - b_zero_point)


@row("integer_conv2d.conv2d", None, "torch")
@row("integer_conv2d.conv2d_per_filter", None, "torch")
def conv2d_float64(x, w, x_zero_point, w_zero_point, stride, padding, dilation, groups):
    """Exact here."""
    functional, (top, left, bottom, right) = library("torch.nn.functional"), padding
    w = tensor(w).double() - tensor(np.reshape(w_zero_point, (-1, 1, 1, 1)))
    x = functional.pad(tensor(x).double() - x_zero_point, (left, right, top, bottom))
    return functional.conv2d(x, w, stride=stride, dilation=dilation, groups=groups)


@row("integer_conv2d.conv2d", None, "onnxruntime")
def conv_integer(stride, padding, dilation, groups, **case):
    (x, x_zero_point), (w, w_zero_point) = operand(case, "x"), operand(case, "w")
    shape = geometry(stride, padding, dilation, groups)
    return onnxruntime("ConvInteger", [x, w, x_zero_point, w_zero_point], np.int32, **shape)


@row("quantized_matmul.matmul", "float", "onnxruntime")
def qgemm(bias, qmin, qmax, **case):
    inputs = [*operand(case, "a"), *operand(case, "b"), bias, *operand(case, "out")]
    return np.clip(onnxruntime("QGemm", inputs, domain="com.microsoft"), qmin, qmax)


@row("quantized_conv2d.conv2d", "float", "onnxruntime")
def qlinear_conv(bias, stride, padding, dilation, groups, qmin, qmax, **case):
    inputs = [*operand(case, "x"), *operand(case, "w"), *operand(case, "out"), bias]
    return np.clip(onnxruntime("QLinearConv", inputs, **geometry(stride, padding, dilation, groups)), qmin, qmax)


@row("quantized_add.add", "float", "onnxruntime")
def qlinear_add(a, b, qmin, qmax, **case):
    case |= {"a": np.resize(a, 8 * a.size), "b": np.resize(b, 8 * b.size)}  # one element alone has another order
    inputs = [*operand(case, "a"), *operand(case, "b"), *operand(case, "out")]
    return np.clip(onnxruntime("QLinearAdd", inputs, domain="com.microsoft")[: a.size], qmin, qmax)


@row("quantized_average_pool2d.average_pool2d_float", None, "onnxruntime")
def qlinear_average_pool(x, kernel_size, stride, padding, qmin, qmax, **case):
    whole_image = x.shape[2:] == tuple(kernel_size)
    case["x"] = np.concatenate([x, x], 2) if whole_image else x  # it alone is averaged another way
    shape = {"kernel_shape": list(kernel_size), "strides": list(stride), "pads": list(padding)}
    inputs = [*operand(case, "x"), *operand(case, "out")]
    out = onnxruntime("QLinearAveragePool", inputs, domain="com.microsoft", **shape)
    return np.clip(out[:, :, :1] if whole_image else out, qmin, qmax)
