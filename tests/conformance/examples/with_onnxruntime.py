"""A target: ONNX Runtime's QuantizeLinear."""

import functools

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

TYPES = {(0, 255): TensorProto.UINT8, (-128, 127): TensorProto.INT8}


@functools.cache
def session(codes):
    float32 = TensorProto.FLOAT
    node = helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"])
    inputs = [("x", float32, ["n"]), ("scale", float32, []), ("zero_point", codes, [])]
    graph = helper.make_graph(
        [node],
        "quantize",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info("q", codes, ["n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def quantize(x, scale, zero_point, qmin, qmax):
    inputs = {"x": x, "scale": scale, "zero_point": zero_point.astype(np.uint8 if qmin == 0 else np.int8)}
    (q,) = session(TYPES[qmin, qmax]).run(None, {name: np.asarray(value) for name, value in inputs.items()})
    return q
