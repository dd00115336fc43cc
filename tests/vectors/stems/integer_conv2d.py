"""Vectors of integer convolution: images and filters of codes with zero points, channels first."""

import numpy as np

from tests.vectors.convolution import (
    CONVOLUTION,
    GEOMETRY,
    NONE,
    ONE,
    convolved,
    counting,
    geometries,
    given,
    layout_mutants,
    out,
)
from tests.vectors.integers import INT32, clamp, typed, wrap
from tests.vectors.specification import Function, Mutant, Stem


def candidates(convention):
    for z_x, z_w in ((0, 0), (3, 0), (0, 2), (3, -2)):
        for x, w, stride, padding, dilation, groups in geometries():
            yield {
                "x": x,
                "w": w,
                "x_zero_point": z_x,
                "w_zero_point": z_w,
                "stride": stride,
                "padding": padding,
                "dilation": dilation,
                "groups": groups,
            }
    ends = {"stride": ONE, "padding": NONE, "dilation": ONE, "groups": 1}
    low, high = np.full((1, 2, 1, 1), -128, np.int8), np.full((1, 2, 1, 1), 127, np.int8)
    for x, w, z_x, z_w in ((low, low, 0, 0), (low, high, 127, 0), (low, low, 127, 127), (high, low, 0, 127)):
        yield {"x": x, "w": w, "x_zero_point": z_x, "w_zero_point": z_w, **ends}
    x, w = np.full((1, 1, 1, 2), 200, np.uint8), np.full((1, 1, 1, 1), 130, np.uint8)
    yield {"x": x, "w": w, "x_zero_point": 128, "w_zero_point": 10, **ends}
    x, w = np.full((1, 17, 4, 4), 255, np.uint8), np.full((1, 17, 4, 4), 255, np.uint8)
    x[0, 0, 0, 0] = 254  # 271 · 255² + 254 · 255 is odd and above 2²⁴
    yield {"x": x, "w": w, "x_zero_point": 0, "w_zero_point": 0, **ends}


def of_sums(change):
    """The sums changed afterwards."""

    def answer(convention, **inputs):
        return out(change(convolved(**inputs)))

    return answer


def differences(change):
    def answer(convention, x, w, x_zero_point, w_zero_point, **geometry):
        z_w = np.reshape(w_zero_point, (-1, 1, 1, 1))
        d_x, d_w = (change(v.astype(np.int64) - z, 8) for v, z in ((x, x_zero_point), (w, z_w)))
        return out(convolved(d_x, d_w, 0, 0, **geometry))

    return answer


def in_float32(convention, **inputs):
    """Sums of positive codes beyond 2²⁴, added from left to right."""
    x, w = inputs["x"], inputs["w"]
    if x.size != w.size or x.shape[1:] != w.shape[1:]:
        return out(convolved(**inputs))
    total = np.float32(0)
    for a, b in zip(x.ravel().tolist(), w.ravel().tolist(), strict=True):
        total += np.float32((a - inputs["x_zero_point"]) * (b - inputs["w_zero_point"]))
    return {"out": np.full((1, 1, 1, 1), int(total))}


CONV2D = Function(
    summary="cross-correlation: Σ (x − x_zero_point) · (w − w_zero_point) over a filter's window, exact",
    parameters={
        "x": "(N, C, H, W) int8 or uint8 array, channels first",
        "w": "(O, C/groups, kh, kw) int8 or uint8 array",
        "x_zero_point": "int, a code of x's type",
        "w_zero_point": "int, a code of w's type, the same for all filters",
        **GEOMETRY,
    },
    returns={"out": "(N, O, H_out, W_out) array of int32, or of any integer type that holds it"},
    candidates=candidates,
    expected=lambda convention, **inputs: out(convolved(**inputs)),
    mutants={
        **CONVOLUTION,
        **layout_mutants(lambda axes: of_sums(lambda sums: sums.transpose(axes))),
        "differences: wrap": Mutant("code less zero point wraps at 8 bits", differences(wrap)),
        "differences: saturate": Mutant("code less zero point saturates at 8 bits", differences(clamp)),
        "accumulator: int16": Mutant("sums wrap at 16 bits", of_sums(lambda v: wrap(v, 16))),
        "accumulator: int16, saturating": Mutant("sums saturate at 16 bits", of_sums(lambda v: clamp(v, 16))),
        "accumulator: 24 bits": Mutant("sums wrap at 24 bits", of_sums(lambda v: wrap(v, 24))),
        "accumulator: float32": Mutant("sums are formed in float32, exact only up to 2^24", in_float32),
        "signs": Mutant(
            "codes are read in the other signedness",
            given(
                **{
                    v: (lambda name: lambda **i: i[name].view({"i": np.uint8, "u": np.int8}[i[name].dtype.kind]))(v)
                    for v in "xw"
                }
            ),
        ),
    },
    provenance="tests/oracles/integer_conv2d.py, integers",
    holds=lambda inputs: {"out": INT32},
)


# ---- conv2d_per_filter: one zero point for every filter ----


def per_filter_candidates(convention):
    ends = {"stride": ONE, "padding": NONE, "dilation": ONE, "groups": 1}
    for x, w, z_w in (
        (counting((1, 1, 1, 2)), counting((3, 1, 1, 1), 3), [1, -2, 5]),
        (counting((1, 2, 1, 2)), counting((3, 2, 1, 1), 3), [1, -2, 5]),
        (counting((1, 2, 1, 4)), counting((3, 2, 1, 3), 3), [1, -2, 5]),
    ):
        yield {"x": x, "w": w, "x_zero_point": 3, "w_zero_point": np.array(z_w, np.int32), **ends}


def filter_zero_points(change):
    """One for every filter, or an array that broadcasts to w."""

    def answer(convention, w, w_zero_point, **inputs):
        w = w.astype(np.int64) - change(w_zero_point, w.shape)
        return out(convolved(w=w, w_zero_point=0, **inputs))

    return answer


CONV2D_PER_FILTER = Function(
    summary="Σ (x − x_zero_point) · (w − w_zero_point[o]) over filter o's window, exact",
    parameters={
        "x": "(N, C, H, W) int8 array, channels first",
        "w": "(O, C/groups, kh, kw) int8 array",
        "x_zero_point": "int, a code of x's type",
        "w_zero_point": "(O,) int32 array, codes of w's type, one for every filter",
        **GEOMETRY,
    },
    returns=CONV2D.returns,
    candidates=per_filter_candidates,
    expected=CONV2D.expected,
    mutants={
        "zero points of w: ignored": Mutant("none is subtracted", filter_zero_points(lambda z, shape: 0)),
        "zero points of w: added": Mutant(
            "each is added", filter_zero_points(lambda z, shape: -z.reshape(-1, 1, 1, 1))
        ),
        "zero points of w: first": Mutant(
            "the first filter's for all filters", filter_zero_points(lambda z, shape: z[0])
        ),
        "zero points of w: by channel": Mutant(
            "one for every channel of the filters",
            filter_zero_points(lambda z, shape: np.resize(z, shape[1])[:, None, None]),
        ),
        "zero points of w: by column": Mutant(
            "broadcast along the last axis", filter_zero_points(lambda z, shape: np.resize(z, shape[3]))
        ),
    },
    provenance=CONV2D.provenance,
    holds=CONV2D.holds,
)

STEM = Stem({"conv2d": typed(CONV2D), "conv2d_per_filter": typed(CONV2D_PER_FILTER)})
