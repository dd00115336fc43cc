"""Convolutions of small images by the oracle, their geometries, and wrong variants, channels first."""

import numpy as np

from tests.oracles import integer_conv2d as oracle
from tests.vectors.specification import Mutant

ONE, NONE = (1, 1), (0, 0, 0, 0)

GEOMETRY = {
    "stride": "[height, width]",
    "padding": "[top, left, bottom, right], outside of the image, where codes are x_zero_point",
    "dilation": "[height, width]",
    "groups": "int, divides C and O; filter o sees the channels of group ⌊o · groups / O⌋",
}


def counting(shape, start=1, dtype=np.int8):
    """Codes start, start + 1, … ."""
    return np.arange(start, start + int(np.prod(shape)), dtype=np.int64).reshape(shape).astype(dtype)


def geometries():
    """(x, w, stride, padding, dilation, groups), of one thing each."""
    image, wide = counting((1, 1, 2, 3)), counting((1, 1, 3, 4))
    row, column, square = (counting((1, 1, *size), 1) for size in ((1, 2), (2, 1), (2, 2)))
    yield counting((1, 1, 1, 2)), counting((1, 1, 1, 1), 3), ONE, NONE, ONE, 1
    yield image, row, ONE, NONE, ONE, 1
    yield image, column, ONE, NONE, ONE, 1
    yield wide, square, ONE, NONE, ONE, 1
    yield wide, counting((1, 1, 1, 1), 2), (2, 1), NONE, ONE, 1
    yield wide, counting((1, 1, 1, 1), 2), (1, 2), NONE, ONE, 1
    yield counting((1, 1, 3, 3)), counting((1, 1, 1, 1), 2), (2, 1), NONE, ONE, 1
    for side in range(4):
        yield image, row, ONE, tuple(int(k == side) for k in range(4)), ONE, 1
    yield image, square, ONE, (1, 0, 0, 2), ONE, 1
    yield image, square, ONE, (0, 1, 0, 1), ONE, 1
    yield counting((1, 1, 1, 5)), row, ONE, NONE, (1, 2), 1
    yield counting((1, 1, 5, 1)), column, ONE, NONE, (2, 1), 1
    yield counting((1, 1, 3, 3)), square, ONE, NONE, (2, 1), 1
    yield counting((1, 2, 1, 2)), counting((1, 2, 1, 1), 3), ONE, NONE, ONE, 1
    yield counting((1, 2, 1, 2)), counting((3, 2, 1, 1), 3), ONE, NONE, ONE, 1
    yield counting((2, 1, 1, 2)), counting((1, 1, 1, 1), 3), ONE, NONE, ONE, 1
    yield counting((2, 3, 1, 2)), counting((1, 3, 1, 2), 3), ONE, NONE, ONE, 1
    yield counting((1, 2, 1, 1)), counting((2, 1, 1, 1), 3), ONE, NONE, ONE, 2
    yield counting((1, 4, 1, 1)), counting((2, 2, 1, 1), 3), ONE, NONE, ONE, 2
    yield counting((1, 2, 1, 1)), counting((4, 1, 1, 1), 3), ONE, NONE, ONE, 2
    yield counting((1, 3, 1, 1)), counting((3, 1, 1, 1), 3), ONE, NONE, ONE, 3


def convolved(x, w, x_zero_point, w_zero_point, stride, padding, dilation, groups):
    """The oracle's (N, O, H_out, W_out), or None where there is no such convolution."""
    top, left, bottom, right = padding
    rows = oracle.count(x.shape[2], w.shape[2], stride[0], top, bottom, dilation[0])
    columns = oracle.count(x.shape[3], w.shape[3], stride[1], left, right, dilation[1])
    if not rows or not columns or x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        return None
    z_w = w_zero_point.tolist() if isinstance(w_zero_point, np.ndarray) else w_zero_point
    sums = oracle.conv2d(x.tolist(), w.tolist(), x_zero_point, z_w, stride, padding, dilation, groups)
    return np.array(sums, np.int64)


def out(sums):
    return None if sums is None else {"out": sums}


def given(**changes):
    """The formula of other arguments; each change is a function of all of them."""

    def answer(convention, **inputs):
        return out(convolved(**inputs | {name: change(**inputs) for name, change in changes.items()}))

    return answer


def with_zeros(x, padding, filler, **_):
    """x with its padding filled in."""
    top, left, bottom, right = padding
    return np.pad(x.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=filler)


def read_last(array):
    """Channels-last memory: the values in the same order, the channels innermost."""
    N, C, H, W = array.shape
    return array.reshape(N, H, W, C).transpose(0, 3, 1, 2)


def interleaved(x, groups, **_):
    """Channels in the order in which filter o sees the channels c with c % groups == o's group."""
    C = x.shape[1]
    return x[:, [c for g in range(groups) for c in range(g, C, groups)]]


def filters_interleaved(convention, **inputs):
    """Filter o belongs to group o % groups."""
    O, groups = inputs["w"].shape[0], inputs["groups"]
    order = [o for g in range(groups) for o in range(g, O, groups)]
    sums = convolved(**inputs | {"w": inputs["w"][order]})
    return out(sums[:, np.argsort(order)])


def border_divides(convention, x, padding, **inputs):
    """Output sizes rounded up: one more position where the stride does not divide what is left, beyond the padding."""
    (sh, sw), (dh, dw), (kh, kw) = inputs["stride"], inputs["dilation"], inputs["w"].shape[2:]
    top, left, bottom, right = padding
    more = []
    for size, s, reach in (
        (x.shape[2] + top + bottom, sh, dh * (kh - 1)),
        (x.shape[3] + left + right, sw, dw * (kw - 1)),
    ):
        more.append(-(size - 1 - reach) % s)
    return out(convolved(x, padding=(top, left, bottom + more[0], right + more[1]), **inputs))


def transposed_pair(name):
    return {name: lambda **inputs: inputs[name][::-1]}


def one(name):
    return {name: lambda **inputs: ONE}


CONVOLUTION = {
    "zero point of x: ignored": Mutant(
        "x's zero point is not subtracted, and padding is 0", given(x_zero_point=lambda **_: 0)
    ),
    "zero point of x: added": Mutant(
        "x's zero point is added, and padding is 0",
        given(
            x=lambda **i: with_zeros(filler=-i["x_zero_point"], **i),
            padding=lambda **_: NONE,
            x_zero_point=lambda **i: -i["x_zero_point"],
        ),
    ),
    "zero point of w: ignored": Mutant("w's zero point is not subtracted", given(w_zero_point=lambda **_: 0)),
    "zero point of w: added": Mutant("w's zero point is added", given(w_zero_point=lambda **i: -i["w_zero_point"])),
    "padding: codes 0": Mutant(
        "the code 0 stands outside of the image, not the zero point",
        given(x=lambda **i: with_zeros(filler=0, **i), padding=lambda **_: NONE),
    ),
    "padding: ignored": Mutant("no padding", given(padding=lambda **_: NONE)),
    "padding: [top, bottom, left, right]": Mutant(
        "the four numbers are taken in another order",
        given(padding=lambda padding, **_: tuple(padding[k] for k in (0, 2, 1, 3))),
    ),
    "padding: [left, right, top, bottom]": Mutant(
        "the four numbers are taken in another order",
        given(padding=lambda padding, **_: tuple(padding[k] for k in (2, 0, 3, 1))),
    ),
    "padding: ends swapped": Mutant(
        "bottom and right come before top and left", given(padding=lambda padding, **_: padding[2:] + padding[:2])
    ),
    "padding: rows and columns swapped": Mutant(
        "top and left change places, bottom and right, too",
        given(padding=lambda padding, **_: tuple(padding[k] for k in (1, 0, 3, 2))),
    ),
    "stride: swapped": Mutant("height and width of the stride change places", given(**transposed_pair("stride"))),
    "stride: ignored": Mutant("the stride is 1", given(**one("stride"))),
    "dilation: swapped": Mutant("height and width of the dilation change places", given(**transposed_pair("dilation"))),
    "dilation: ignored": Mutant("the dilation is 1", given(**one("dilation"))),
    "output size: rounded up": Mutant("one position more where the stride leaves a rest", border_divides),
    "convolution: flipped": Mutant(
        "filters are turned around, as convolution has it", given(w=lambda w, **_: w[..., ::-1, ::-1])
    ),
    "filters: transposed": Mutant(
        "rows and columns of the filters change places", given(w=lambda w, **_: w.swapaxes(2, 3))
    ),
    "layout: x channels-last": Mutant("x's memory is read as (N, H, W, C)", given(x=lambda x, **_: read_last(x))),
    "layout: w channels-last": Mutant(
        "w's memory is read as (O, kh, kw, C/groups)", given(w=lambda w, **_: read_last(w))
    ),
    "groups: filters interleaved": Mutant("filter o belongs to group o % groups", filters_interleaved),
    "groups: channels interleaved": Mutant("channel c belongs to group c % groups", given(x=interleaved)),
}

LAYOUTS = {
    "channels-last": ("(N, H_out, W_out, O)", (0, 2, 3, 1)),
    "filters first": ("(O, N, H_out, W_out)", (1, 0, 2, 3)),
}


def layout_mutants(transposing):
    """Results with other axes; transposing(axes) makes the answer."""
    return {
        f"layout: out {name}": Mutant(f"{shape} in place of (N, O, H_out, W_out)", transposing(axes))
        for name, (shape, axes) in LAYOUTS.items()
    }
