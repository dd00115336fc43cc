"""What convolution and pooling share: windows that move over an image, channels first."""

from collections.abc import Callable
from typing import Any

import numpy as np

from refcompress.conformance.properties.longer import SIZES, Way, repeated, resized

IMAGE_SIZES = SIZES[:8]  # of one side, or of the channels
wider: Way = repeated(x=3)


def deeper(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """Return images with n channels a group, and filters for them."""
    x = resized(arguments["x"], 1, n * arguments["groups"])
    return arguments | {"x": x, "w": resized(arguments["w"], 1, n)}


def check_padding(f: Callable[..., Any], inputs: dict[str, Any]) -> None:
    """Assert that an image with a border of zero points, not padded, has the results of the padded one."""
    top, left, bottom, right = inputs["padding"]
    sides = (0, 0), (0, 0), (top, bottom), (left, right)
    x = np.pad(inputs["x"], sides, constant_values=inputs["x_zero_point"])
    out = np.asarray(f(*inputs.values())).tolist()
    wanted = np.asarray(f(*(inputs | {"x": x, "padding": (0, 0, 0, 0)}).values())).tolist()
    assert out == wanted, f"padding {inputs['padding']} gives {out}, a border of zero points {wanted}"


def check_stride(f: Callable[..., Any], inputs: dict[str, Any]) -> None:
    """Assert that a stride leaves out rows and columns of the results of stride 1."""
    height, width = inputs["stride"]
    out = np.asarray(f(*inputs.values())).tolist()
    dense = np.asarray(f(*(inputs | {"stride": (1, 1)}).values()))[:, :, ::height, ::width].tolist()
    assert out == dense, f"stride {inputs['stride']} gives {out}, but of stride 1 remain {dense}"
