"""onnxruntime: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, and its quantization tool's weights."""

import numpy as np

from tests.crosscheck.comparison import EXTREME_SCALES, MILLION, SPECIAL, chosen, quantized, ranges, restored
from tests.crosscheck.presets.onnx_models import TYPES, model
from tests.crosscheck.presets.with_onnx import compared
from tests.crosscheck.registry import register


def session(model):
    """A session on one thread, of the graph as it is."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Sessions:
    """Runs models, and keeps the session of the last one."""

    def __init__(self):
        self.model = self.session = None

    def __call__(self, model, x):
        if model is not self.model:
            self.model, self.session = model, session(model)
        return self.session.run(None, {"x": x})


@register("onnxruntime", library="onnxruntime")
def operators(c, rng):
    yield from compared(c, rng, Sessions(), special=SPECIAL, smallest=1e-36)


def weights(symmetric):
    """compute_scale_zp, quantize_nparray (to all codes of a type), and DequantizeLinear."""

    def pairs(c, rng):
        from onnx import TensorProto
        from onnxruntime.quantization import quant_utils

        run = Sessions()
        for kind, (lowest, highest) in TYPES.items():
            code = getattr(TensorProto, kind.upper())

            def codes(x, s, Z, code=code):
                return quant_utils.quantize_nparray(code, x, s, np.int64(Z).astype(np.int32))

            def numbers(q, s, Z, kind=kind):
                return run(model("DequantizeLinear", kind, s, Z), q.astype(np.int32))[0]

            wide = kind.endswith("16")
            random = MILLION if kind == "int8" else 60_000
            once = {"scales": (np.float32(0.0371),), "at": (3,)} if wide else {}
            yield from quantized(c, lowest, highest, codes, rng, special=SPECIAL, random=random, **once)
            yield from restored(c, lowest, highest, numbers, **({"scales": EXTREME_SCALES} if wide else {}))
            for reduced in (False, True):
                ends = quant_utils.get_qmin_qmax_for_qType(code, reduced, symmetric)

                def choose(low, high, ends=ends):
                    found = [
                        quant_utils.compute_scale_zp(a, b, *ends, symmetric) for a, b in zip(low, high, strict=True)
                    ]
                    Z, s = (np.array(column) for column in zip(*found, strict=True))
                    return s.astype(np.float32), Z

                qmin, qmax = (int(end) for end in ends)
                yield from chosen(c, qmin, qmax, choose, ranges(qmin, qmax, rng))

    return pairs


register("onnxruntime_weights", library="onnxruntime")(weights(symmetric=False))
register("onnxruntime_weights_symmetric", library="onnxruntime")(weights(symmetric=True))
