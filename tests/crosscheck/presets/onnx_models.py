"""ONNX models of one operator, for the reference evaluator and for ONNX Runtime."""

import numpy as np

TYPES = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int4": (-8, 7),
    "uint4": (0, 15),
    "int16": (-32768, 32767),
    "uint16": (0, 65535),
}


def model(operator, kind, s, Z, axis=None, block_size=None):
    """QuantizeLinear (its codes as int32) or DequantizeLinear (of codes given as int32), opset 21."""
    from onnx import TensorProto, helper

    s, code = np.asarray(s, np.float32), getattr(TensorProto, kind.upper())
    Z = np.broadcast_to(np.asarray(Z), s.shape)
    options = {"axis": axis} if axis is not None else {}
    options |= {"block_size": block_size} if block_size else {}
    constants = [
        helper.make_tensor("s", TensorProto.FLOAT, s.shape, s.ravel().tolist()),
        helper.make_tensor("Z", code, Z.shape, Z.ravel().tolist()),
    ]
    if operator == "QuantizeLinear":
        types = TensorProto.FLOAT, TensorProto.INT32
        nodes = [
            helper.make_node(operator, ["x", "s", "Z"], ["q"], **options),
            helper.make_node("Cast", ["q"], ["y"], to=TensorProto.INT32),
        ]
    else:
        types = TensorProto.INT32, TensorProto.FLOAT
        nodes = [
            helper.make_node("Cast", ["x"], ["q"], to=code),
            helper.make_node(operator, ["q", "s", "Z"], ["y"], **options),
        ]
    ends = [helper.make_tensor_value_info(name, t, None) for name, t in zip("xy", types, strict=True)]
    graph = helper.make_graph(nodes, "one", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def dynamic():
    """DynamicQuantizeLinear."""
    from onnx import TensorProto, helper

    types = {"x": TensorProto.FLOAT, "q": TensorProto.UINT8, "s": TensorProto.FLOAT, "Z": TensorProto.UINT8}
    x, *rest = (helper.make_tensor_value_info(name, t, None) for name, t in types.items())
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "Z"])
    graph = helper.make_graph([node], "one", [x], rest)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
