"""onnx: the reference evaluator's QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear."""

import numpy as np

from tests.crosscheck.comparison import EXTREME_SCALES, MILLION, chosen, grouped, quantized, ranges, restored
from tests.crosscheck.presets.onnx_models import TYPES, dynamic, model
from tests.crosscheck.registry import register

ONCE = {"scales": (np.float32(0.0371),), "at": (3,)}  # 65,536 ties


def compared(c, rng, run, special, smallest):
    """The three operators by run(model, x): the list of outputs."""
    for kind, (qmin, qmax) in TYPES.items():

        def codes(x, s, Z, axis=None, block_size=None, kind=kind):
            return run(model("QuantizeLinear", kind, s, Z, axis, block_size), x)[0]

        def numbers(q, s, Z, kind=kind):
            return run(model("DequantizeLinear", kind, s, Z), q.astype(np.int32))[0]

        random = MILLION if kind == "int8" else 300_000 if kind == "uint8" else 60_000
        options = ONCE if kind.endswith("16") else {}
        yield from quantized(c, qmin, qmax, codes, rng, special=special, random=random, **options)
        yield from grouped(c, qmin, qmax, codes, rng, block_sizes=(None, 3, 16))
        yield from restored(c, qmin, qmax, numbers, **({"scales": EXTREME_SCALES} if kind.endswith("16") else {}))

    operator = dynamic()

    def choose(low, high):
        found = [run(operator, x)[1:] for x in np.stack([low, high], 1)]
        return np.array([s for s, _ in found]).ravel(), np.array([Z for _, Z in found]).ravel()

    yield from chosen(c, 0, 255, choose, ranges(0, 255, rng, smallest=smallest))


@register("onnx", library="onnx")
def reference_evaluator(c, rng):
    """Without huge, infinite and NaN values: the evaluator converts them to int32, which has no place for them."""
    from onnx.reference import ReferenceEvaluator

    evaluators = {}  # of the one model that is run thousands of times

    def run(model, x):
        if id(model) not in evaluators:
            evaluators.clear()
            evaluators[id(model)] = (ReferenceEvaluator(model), model)
        return evaluators[id(model)][0].run(None, {"x": x})

    yield from compared(c, rng, run, special=(), smallest=1e-36)
