"""Vectors of quantized convolution: from codes to codes, channels first."""

import itertools

import numpy as np

from tests.oracles import quantized_conv2d as oracle
from tests.vectors.convolution import (
    CONVOLUTION,
    GEOMETRY,
    NONE,
    ONE,
    convolved,
    counting,
    geometries,
    layout_mutants,
)
from tests.vectors.integers import ROUNDINGS, typed, wrap
from tests.vectors.rescaling import rescaled, scale_literals, step_mutants
from tests.vectors.specification import Function, Mutant, Stem

INTEGERS = ("x", "w", "x_zero_point", "w_zero_point", "stride", "padding", "dilation", "groups")
SCALES = ("x_scale", "w_scale", "out_scale", "out_zero_point", "qmin", "qmax")
STEPS = (
    *(f"rounding: {rounding}" for rounding in ROUNDINGS),
    "truncation: toward −∞",
    "multiplier: from float32",
    "output's scale: multiplied",
    "output's zero point: ignored",
    "output's zero point: after the clip",
    "clip: wraps",
    "clip: ends of the type",
)
CONVOLUTIONS = (  # the rest is in integer_conv2d
    "zero point of x: ignored",
    "zero point of w: ignored",
    "padding: codes 0",
    "padding: ends swapped",
    "padding: rows and columns swapped",
    "stride: swapped",
    "dilation: swapped",
    "convolution: flipped",
    "layout: x channels-last",
    "layout: w channels-last",
    "groups: filters interleaved",
)


def codes(convention, acc, inputs, **steps):
    acc = acc + inputs["bias"].astype(np.int64)[:, None, None]
    return rescaled(convention, acc, *(inputs[name] for name in SCALES), **steps)


def by(change=lambda inputs: {}, then=lambda q: q, **steps):
    """A mutant: other inputs, another way from sums to codes, or other codes afterwards."""

    def answer(convention, **inputs):
        inputs |= change(inputs)
        acc = convolved(**{name: inputs[name] for name in INTEGERS})
        return {"out": then(codes(convention, acc, inputs, **steps))}

    return answer


def convolution(mutant):
    """A wrong convolution, and the right way to the codes."""

    def answer(convention, **inputs):
        found = mutant.answer(convention, **{name: inputs[name] for name in INTEGERS})
        return found and {"out": codes(convention, found["out"], inputs)}

    return Mutant(mutant.sentence, answer)


def scales_by_column(convention, **inputs):
    """One scale for every column of the output, as far as they go."""
    acc = convolved(**{name: inputs[name] for name in INTEGERS}) + inputs["bias"].astype(np.int64)[:, None, None]
    inputs["w_scale"] = np.resize(inputs["w_scale"], acc.shape[3])
    return {"out": rescaled(convention, acc, *(inputs[name] for name in SCALES), axis=3)}


def bias_afterwards(convention, bias, **inputs):
    q = by()(convention, bias=0 * bias, **inputs)["out"] + bias[:, None, None]
    return {"out": np.clip(q, inputs["qmin"], inputs["qmax"])}


def expected(convention, x, w, bias, x_scale, w_scale, out_scale, **rest):
    out = oracle.conv2d(
        x.tolist(),
        w.tolist(),
        bias.tolist(),
        x_scale=x_scale,
        w_scale=w_scale.tolist(),
        out_scale=out_scale,
        rounding=convention,
        dtype="int8" if rest["qmin"] < 0 else "uint8",
        **rest,
    )
    return {"out": np.array(out, np.int64)}


def inputs_of(x, w, bias, scales, zero_points=(0, 0), output=(0, -128, 127), geometry=(ONE, NONE, ONE, 1)):
    s_x, s_w, s_out = scales
    return {
        "x": x,
        "w": w,
        "bias": np.array(bias, np.int32),
        "x_scale": np.float32(s_x),
        "w_scale": np.array(s_w, np.float32),
        "out_scale": np.float32(s_out),
        "x_zero_point": zero_points[0],
        "w_zero_point": zero_points[1],
        "out_zero_point": output[0],
        "stride": geometry[0],
        "padding": geometry[1],
        "dilation": geometry[2],
        "groups": geometry[3],
        "qmin": output[1],
        "qmax": output[2],
    }


def candidates(convention):
    pixel = counting((1, 1, 1, 1))
    for output, acc in itertools.product(
        ((0, -128, 127), (3, -128, 127), (10, 0, 255), (7, 7, 127)), (2, -2, 6, -6, 10, 600)
    ):
        yield inputs_of(pixel, pixel, [acc - 1], (0.5, [0.5], 1), output=output)  # by ¼
    for zero_points in ((0, 0), (3, -2)):
        several = counting((1, 2, 2, 3), -5), counting((2, 1, 1, 2), 3), (2, 1), (1, 0, 0, 1), (1, 2), 2
        for x, w, *geometry in (*geometries(), several):
            O, s_out = len(w), 0.25 if x.size < 12 else 2
            yield inputs_of(x, w, [0] * O, (0.5, [0.5] * O, s_out), zero_points, geometry=geometry)
            yield inputs_of(
                x, w, [4, -8, 20, 1][:O], (0.5, [0.5, 0.25, 1, 2][:O], s_out), zero_points, geometry=geometry
            )
    for s_x, s_w, s_out, acc in itertools.islice(scale_literals(), 60):
        yield inputs_of(pixel, pixel, [acc - 1], (s_x, [s_w], s_out))


CONV2D = Function(
    summary="clip(round((Σ (x − x_zero_point) · (w − w_zero_point) + bias) · x_scale · w_scale / out_scale) "
    "+ out_zero_point); all but float: x_scale · w_scale / out_scale, from left to right in float64, as M and shift by "
    "multiplier (half_away); float: the same in float32; rounded as in requantization",
    parameters={
        "x": "(N, C, H, W) int8 array, channels first",
        "w": "(O, C/groups, kh, kw) int8 array",
        "bias": "(O,) int32 array, in units of x_scale · w_scale",
        "x_scale": "float32 scalar",
        "w_scale": "(O,) float32 array, one for every filter",
        "out_scale": "float32 scalar",
        "x_zero_point": "int",
        "w_zero_point": "int, the same for all filters",
        "out_zero_point": "int",
        **GEOMETRY,
        "qmin": "int",
        "qmax": "int",
    },
    returns={"out": "(N, O, H_out, W_out) array of codes, of any integer type that holds qmin to qmax"},
    conventions=tuple((rounding,) for rounding in ROUNDINGS),
    candidates=candidates,
    expected=expected,
    mutants={
        **{name: mutant for name, mutant in step_mutants(by).items() if name in STEPS},
        **{name: convolution(CONVOLUTION[name]) for name in CONVOLUTIONS},
        **layout_mutants(lambda axes: by(then=lambda q: q.transpose(axes))),
        "scales of filters: first": Mutant(
            "the first filter's scale for all filters",
            by(lambda i: {"w_scale": np.full_like(i["w_scale"], i["w_scale"][0])}),
        ),
        "scales of filters: by column": Mutant("one scale for every column of the output", scales_by_column),
        "bias: ignored": Mutant("no bias is added", by(lambda i: {"bias": 0 * i["bias"]})),
        "bias: afterwards": Mutant("the bias is added to codes", bias_afterwards),
        "accumulator: int16": Mutant(
            "bias and sums wrap at 16 bits", by(lambda i: {"bias": wrap(i["bias"].astype(np.int64), 16)})
        ),
    },
    provenance="tests/oracles/quantized_conv2d.py, integers and fractions; float: by exact float32 steps",
    holds=lambda inputs: {"out": (inputs["qmin"], inputs["qmax"])},
)

STEM = Stem({"conv2d": typed(CONV2D)})
