"""Integer operators by three sets of TensorFlow Lite's kernels."""

import importlib
from functools import partial

import numpy as np

from tests.crosscheck.vectors.integers import operand
from tests.crosscheck.vectors.row import library, row

POINT = "weights have zero point 0"
PADS = {"pads as much as both sides need, or nothing": lambda padding, **_: any(padding)}


def tflite(kernels, operator, kind, options, inputs, constants, output):
    """One operator of codes, each with scale and zero point."""
    schema = library("tensorflow.lite.python.schema_py_generated")  # without which their file is skipped
    theirs = importlib.import_module("tests.crosscheck.test_integer_tflite")
    tensors, buffers = [], [schema.BufferT()]
    for array, scale, zero_point in [*inputs, *constants, (inputs[0][0], *output)]:
        scale = np.float32(np.atleast_1d(scale)).tolist()
        quantization = schema.QuantizationParametersT(scale=scale, zeroPoint=np.resize(zero_point, len(scale)).tolist())
        dtype = schema.TensorType.INT8 if array.itemsize == 1 else schema.TensorType.INT32
        tensors.append(schema.TensorT(list(array.shape), dtype, len(buffers), b"codes", quantization))
        constant = len(inputs) < len(buffers) <= len(inputs) + len(constants)
        buffers.append(schema.BufferT(np.frombuffer(array.tobytes(), np.uint8) if constant else None))
    *given, out = range(len(tensors))
    options = {"builtinOptions": getattr(schema, f"{kind}T")(**options)}
    options |= {"builtinOptionsType": getattr(schema.BuiltinOptions, kind)}
    code = {"builtinCode": getattr(schema.BuiltinOperator, operator)}
    code |= {"deprecatedBuiltinCode": code["builtinCode"]}
    version = 2 if operator == "AVERAGE_POOL_2D" else 4  # the first ones with int8 by channel
    node = schema.OperatorT(inputs=given, outputs=[out], **options)
    graph = schema.SubGraphT(tensors, given[: len(inputs)], [out], [node])
    model = schema.ModelT(3, [schema.OperatorCodeT(**code, version=version)], [graph], "", buffers)
    builder = library("flatbuffers").Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return theirs.Model(bytes(builder.Output()), kernels, operator)(*(array for array, _, _ in inputs))


def last(x):
    """(N, C, H, W) as (N, H, W, C)."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def windows(stride):
    return {"padding": 1, "strideH": stride[0], "strideW": stride[1]}


def matmul(kernels, b, bias, b_scale, b_zero_point, qmin, qmax, **case):
    w = np.ascontiguousarray(np.concatenate([b, b], 1).T)  # one column alone is rounded another way when optimized
    b_scale, bias = np.tile(b_scale, 2), np.tile(bias, 2)
    constants = [(w, b_scale, b_zero_point), (bias, case["a_scale"] * b_scale, 0)]
    kind, inputs = "FullyConnectedOptions", [operand(case, "a")]
    out = tflite(kernels, "FULLY_CONNECTED", kind, {}, inputs, constants, operand(case, "out"))
    return np.clip(out[:, : b.shape[1]], qmin, qmax)


def conv2d(kernels, x, w, bias, stride, padding, dilation, groups, qmin, qmax, **case):
    top, left, bottom, right = padding
    x = np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)], constant_values=case["x_zero_point"])
    case |= {"x": last(x), "w": last(w)}
    options = windows(stride) | {"dilationHFactor": dilation[0], "dilationWFactor": dilation[1]}
    constants = [operand(case, "w"), (bias, case["x_scale"] * case["w_scale"], 0)]
    inputs, output = [operand(case, "x")], operand(case, "out")
    out = tflite(kernels, "CONV_2D", "Conv2DOptions", options, inputs, constants, output)
    return np.clip(out.transpose(0, 3, 1, 2), qmin, qmax)


def add(kernels, qmin, qmax, **case):
    inputs = [operand(case, "a"), operand(case, "b")]
    return np.clip(tflite(kernels, "ADD", "AddOptions", {}, inputs, [], operand(case, "out")), qmin, qmax)


def average_pool2d(kernels, x, kernel_size, stride, padding, qmin, qmax):
    assert not any(padding), "it takes none"
    options = windows(stride) | {"filterHeight": kernel_size[0], "filterWidth": kernel_size[1]}
    out = tflite(kernels, "AVERAGE_POOL_2D", "Pool2DOptions", options, [(last(x), 0.5, 0)], [], (0.5, 0))
    return np.clip(out.transpose(0, 3, 1, 2), qmin, qmax)


for kernels, of_matmul, of_conv2d in (
    ("reference", "single", "double"),
    ("optimized", "double_up", "double_up"),
    ("default", "float", "float"),
):
    name = f"tensorflow ({kernels})"
    without = {POINT: lambda b_zero_point, **_: b_zero_point != 0}
    row("quantized_matmul.matmul", of_matmul, name, without)(partial(matmul, kernels))
    without = {POINT: lambda w_zero_point, **_: w_zero_point != 0}
    row("quantized_conv2d.conv2d", of_conv2d, name, without)(partial(conv2d, kernels))
    row("quantized_average_pool2d.average_pool2d", None, name, PADS)(partial(average_pool2d, kernels))
    if kernels != "default":  # which has multipliers of its own
        row("quantized_add.add", "double", name)(partial(add, kernels))
