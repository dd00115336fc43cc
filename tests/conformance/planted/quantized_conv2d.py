"""Wrong quantized convolutions: what each property must see."""

import numpy as np

from refcompress.conformance.properties.quantized_conv2d import own

NAMES = (
    "x", "w", "bias", "x_scale", "w_scale", "out_scale", "x_zero_point", "w_zero_point", "out_zero_point", "stride",
    "padding", "dilation", "groups", "qmin", "qmax",
)  # fmt: skip


def changed(change):
    """The package's, given other arguments."""

    def conv2d(*arguments):
        inputs = dict(zip(NAMES, arguments, strict=True))
        return own("double")(*(inputs | change(inputs)).values())

    return conv2d


def first_scale(inputs):
    return {"w_scale": np.full_like(inputs["w_scale"], inputs["w_scale"][0])}


def without_bias(inputs):
    return {"bias": 0 * inputs["bias"]}


def padded_with_codes_0(inputs):
    top, left, bottom, right = inputs["padding"]
    return {"x": np.pad(inputs["x"], ((0, 0), (0, 0), (top, bottom), (left, right))), "padding": (0, 0, 0, 0)}


def stride_swapped(inputs):
    return {"stride": inputs["stride"][::-1]}


# property: (convention, wrong implementation)
PLANTED = {
    "is_near_the_real_number": ("double", changed(first_scale)),
    "an_image_of_zero_points_has_the_biases": ("double", changed(without_bias)),
    "an_image_may_be_padded_before": ("double", changed(padded_with_codes_0)),
    "a_stride_leaves_out_codes": ("double", changed(stride_swapped)),
    "filters_are_apart": ("double", changed(first_scale)),
}
