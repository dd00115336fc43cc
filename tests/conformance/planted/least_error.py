"""Wrong searches for the least error: what each property must see."""

import numpy as np

from refcompress.formulas.quantization import affine


def search(x, qmin, qmax, norm, grid, max_shrink, share=lambda i, count, grid: 1 - i / grid, first=0, of=np.abs):
    best, least, count = (x.min(), x.max()), np.inf, int(max_shrink * grid)
    for i in range(first, count):
        p = x.dtype.type(share(i, count, grid))
        s, Z = affine.choose(p * x.min(), p * x.max(), qmin, qmax, "source")
        difference = affine.fake_quantize(x, s, Z, qmin, qmax, "source").astype(np.float64) - x
        error = float((of(difference) ** norm).sum())
        if error < least:
            best, least = (p * x.min(), p * x.max()), error
    return best


def high_only(*arguments):
    return arguments[0].min(), search(*arguments)[1]


def without_sign(*arguments):
    return search(*arguments, of=lambda difference: np.maximum(difference, 0))


def never_whole(*arguments):
    return search(*arguments, first=1)


def printed(*arguments):
    """The ends have one decimal."""
    return tuple(np.round(end, 1) for end in search(*arguments))


def spread_out(*arguments):
    """As many ranges as the grid has, down to half of the whole one."""
    return search(*arguments, share=lambda i, count, grid: 1 - i / 2 / max(count - 1, 1))


# property: (convention, wrong implementation)
PLANTED = {
    "is_of_the_grid": ("source", high_only),
    "is_no_worse_than_any": ("source", without_sign),
    "keeps_what_is_exact": ("source", never_whole),
    "scales": ("source", printed),
    "needs_no_range_after_the_best": ("source", spread_out),
}
