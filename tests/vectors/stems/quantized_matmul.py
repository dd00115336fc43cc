"""Vectors of quantized matrix products: from codes to codes."""

import itertools

import numpy as np

from tests.oracles import quantized_matmul as oracle
from tests.vectors.integers import ROUNDINGS, typed, wrap
from tests.vectors.rescaling import rescaled, scale_literals, step_mutants
from tests.vectors.specification import Function, Mutant, Stem


def sums(a, b, bias, a_zero_point, b_zero_point):
    return np.array(oracle.sums(a.tolist(), b.tolist(), bias.tolist(), a_zero_point, b_zero_point), object)


def by(change=lambda inputs: {}, acc=lambda inputs, sums: sums, then=lambda inputs, q: q, **steps):
    """A mutant: other inputs, other sums, another way to the codes, or other codes afterwards."""

    def answer(convention, **inputs):
        inputs |= change(inputs)
        found = acc(inputs, sums(*(inputs[name] for name in ("a", "b", "bias", "a_zero_point", "b_zero_point"))))
        rest = [inputs[name] for name in ("a_scale", "b_scale", "out_scale", "out_zero_point", "qmin", "qmax")]
        return {"out": then(inputs, rescaled(convention, found, *rest, **steps))}

    return answer


def expected(
    convention, a, b, bias, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax
):
    out = oracle.matmul(
        a.tolist(),
        b.tolist(),
        bias.tolist(),
        a_scale=a_scale,
        b_scale=b_scale.tolist(),
        out_scale=out_scale,
        a_zero_point=a_zero_point,
        b_zero_point=b_zero_point,
        out_zero_point=out_zero_point,
        rounding=convention,
        dtype="int8" if qmin < 0 else "uint8",
        qmin=qmin,
        qmax=qmax,
    )
    return {"out": np.array(out, np.int64)}


def inputs_of(a, b, bias, scales, zero_points=(0, 0), output=(0, -128, 127)):
    s_a, s_b, s_out = scales
    return {
        "a": np.array(a, np.int8),
        "b": np.array(b, np.int8),
        "bias": np.array(bias, np.int32),
        "a_scale": np.float32(s_a),
        "b_scale": np.array(s_b, np.float32),
        "out_scale": np.float32(s_out),
        "a_zero_point": zero_points[0],
        "b_zero_point": zero_points[1],
        "out_zero_point": output[0],
        "qmin": output[1],
        "qmax": output[2],
    }


OUTPUTS = ((0, -128, 127), (3, -128, 127), (10, 0, 255), (7, 7, 127), (-20, -20, 100))


def candidates(convention):
    for acc in (2, -2, 6, -6, 10, 3, 5, -5, 1000, -1000):
        yield inputs_of([[1]], [[1]], [acc - 1], (0.5, [0.5], 1))  # by ¼
    for output, acc in itertools.product(OUTPUTS, (2, -2, 6, -6, 10, 300, -300)):
        yield inputs_of([[1]], [[1]], [acc - 1], (0.5, [0.5], 1), output=output)
    matrices = [[3, 5]], [[7, 2], [1, -4]]
    wide = [[3, 5]], [[7, 2, 6], [1, -4, 9]]
    tall = [[3, 5], [2, -6], [4, 1]], [[7], [-2]]
    for (a, b), zero_points in itertools.product((matrices, wide, tall), ((0, 0), (2, 0), (0, -3), (2, -3))):
        N = len(b[0])
        for bias in ([0] * N, [4, -8, 20][:N]):
            for scales in ((0.5, [0.5] * N, 0.5), (0.5, [0.5, 0.25, 2][:N], 0.25), (0.25, [2, 0.5, 1][:N], 2)):
                yield inputs_of(a, b, bias, scales, zero_points)
    yield inputs_of([[127, 127, 127]], [[127], [127], [127]], [0], (2**-5, [2**-5], 1))
    for s_a, s_b, s_out, acc in scale_literals():
        yield inputs_of([[1]], [[1]], [acc - 1], (s_a, [s_b], s_out))


def other_layout(inputs):
    b = inputs["b"]
    return {"b": b.reshape(b.shape[::-1]).T}


def bias_afterwards(inputs, q):
    return np.clip(q + inputs["bias"], inputs["qmin"], inputs["qmax"])


MATMUL = Function(
    summary="clip(round((Σ_k (a − a_zero_point) · (b − b_zero_point) + bias) · a_scale · b_scale / out_scale) "
    "+ out_zero_point); all but float: a_scale · b_scale / out_scale, from left to right in float64, as M and shift by "
    "multiplier (half_away); float: the same in float32; rounded as in requantization",
    parameters={
        "a": "(M, K) int8 array",
        "b": "(K, N) int8 array",
        "bias": "(N,) int32 array, in units of a_scale · b_scale",
        "a_scale": "float32 scalar",
        "b_scale": "(N,) float32 array, one for every column",
        "out_scale": "float32 scalar",
        "a_zero_point": "int",
        "b_zero_point": "int, the same for all columns",
        "out_zero_point": "int",
        "qmin": "int",
        "qmax": "int",
    },
    returns={"out": "(M, N) array of codes, of any integer type that holds qmin to qmax"},
    conventions=tuple((rounding,) for rounding in ROUNDINGS),
    candidates=candidates,
    expected=expected,
    mutants={
        **step_mutants(by),
        "second scale: one for all": Mutant(
            "the first column's scale for all columns",
            by(lambda i: {"b_scale": np.full_like(i["b_scale"], i["b_scale"][0])}),
        ),
        "bias: ignored": Mutant("no bias is added", by(lambda i: {"bias": 0 * i["bias"]})),
        "bias: subtracted": Mutant("the bias is subtracted", by(lambda i: {"bias": -i["bias"]})),
        "bias: afterwards": Mutant(
            "the bias is added to codes",
            lambda convention, **i: by(then=lambda _, q: bias_afterwards(i, q))(
                convention, **i | {"bias": 0 * i["bias"]}
            ),
        ),
        "zero point of a: ignored": Mutant("a's zero point is not subtracted", by(lambda i: {"a_zero_point": 0})),
        "zero point of b: ignored": Mutant("b's zero point is not subtracted", by(lambda i: {"b_zero_point": 0})),
        "zero point of a: added": Mutant("a's zero point is added", by(lambda i: {"a_zero_point": -i["a_zero_point"]})),
        "zero point of b: added": Mutant("b's zero point is added", by(lambda i: {"b_zero_point": -i["b_zero_point"]})),
        "accumulator: int16": Mutant("sums wrap at 16 bits", by(acc=lambda i, acc: wrap(acc, 16))),
        "layout: b": Mutant("b's memory is read as (N, K)", by(other_layout)),
        "transposed": Mutant("(N, M) in place of (M, N)", by(then=lambda i, q: q.T)),
    },
    provenance="tests/oracles/quantized_matmul.py, integers and fractions; float: by exact float32 steps",
    holds=lambda inputs: {"out": (inputs["qmin"], inputs["qmax"])},
)

STEM = Stem({"matmul": typed(MATMUL)})
