"""TFLite models: of one QUANTIZE or DEQUANTIZE operator, and what the converter makes of matrix products."""

import functools
import re

import numpy as np

TYPES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def one_operator(name, kind, shape, s, Z, axis=None):
    """A model of QUANTIZE (float32 to this type) or DEQUANTIZE, as bytes."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = 2

    floats, codes = schema.TensorT(), schema.TensorT()
    for tensor, word, dtype, buffer in ((floats, b"x", "FLOAT32", 1), (codes, b"q", kind.upper(), 2)):
        tensor.name, tensor.shape, tensor.buffer = word, list(shape), buffer
        tensor.type = getattr(schema.TensorType, dtype)
    codes.quantization = schema.QuantizationParametersT()
    codes.quantization.scale, codes.quantization.zeroPoint = np.float32(s).ravel().tolist(), np.ravel(Z).tolist()
    codes.quantization.quantizedDimension = axis or 0

    operator = schema.OperatorT()
    operator.opcodeIndex = 0
    operator.inputs, operator.outputs = ([0], [1]) if name == "QUANTIZE" else ([1], [0])
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [floats, codes], [operator]
    graph.inputs, graph.outputs = operator.inputs, operator.outputs
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT() for _ in range(3)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run(model, x, reference):
    """The output, by the reference kernels or by the default interpreter."""
    import tensorflow as tf

    resolver = tf.lite.experimental.OpResolverType
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=resolver.BUILTIN_REF if reference else resolver.AUTO,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def convert(function, specifications, calibration=None):
    """A converted model: weights only, or with calibration data all of it to int8."""
    import tensorflow as tf

    concrete = tf.function(function).get_concrete_function(*specifications)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration is not None:
        converter.representative_dataset = lambda: iter([calibration])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


@functools.cache
def activation_parameters(ends):
    """Scales and zero points that the converter gives int8 inputs that were seen with these ends, in order."""
    import tensorflow as tf
    from tensorflow.lite.python import schema_py_generated as schema

    found = {}
    for start in range(0, len(ends), 50):
        part = ends[start : start + 50]
        inputs = [np.linspace(low, high, 16, dtype=np.float32)[None] for low, high in part]
        for x, (low, high) in zip(inputs, part, strict=True):
            x[:] = np.clip(x, low, high)

        def products(*xs):
            return [tf.matmul(x, tf.constant(np.full((16, 4), 1 + i, np.float32))) for i, x in enumerate(xs)]

        names = [tf.TensorSpec([1, 16], tf.float32, name=f"in{i:02d}") for i in range(len(part))]
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(convert(products, names, inputs), 0))
        kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
        graph = model.subgraphs[0]
        for operator in graph.operators:
            name = re.search(r"in(\d\d)", graph.tensors[operator.inputs[0]].name.decode())
            if kinds[operator.opcodeIndex] == schema.BuiltinOperator.QUANTIZE and name:
                parameters = graph.tensors[operator.outputs[0]].quantization
                found[start + int(name[1])] = (parameters.scale[0], parameters.zeroPoint[0])
    return [found[i] for i in range(len(ends))]


def converted_weights(columns, calibrated):
    """int8 codes and scales of a matrix whose columns are channels, as (channels, inputs) and (channels,)."""
    import tensorflow as tf

    inputs, channels = columns.shape
    x = [np.ones((1, inputs), np.float32)] if calibrated else None
    specification = tf.TensorSpec([1, inputs], tf.float32)
    model = convert(lambda x: tf.matmul(x, tf.constant(columns)), [specification], x)
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    (tensor,) = (
        t for t in interpreter.get_tensor_details() if tuple(t["shape"]) == (channels, inputs) and t["dtype"] == np.int8
    )
    return interpreter.get_tensor(tensor["index"]), tensor["quantization_parameters"]["scales"]
