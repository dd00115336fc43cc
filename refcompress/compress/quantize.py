"""Quantize a network: a scheme, its ranges, and codes for every array (Q2 to Q4 applied)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refcompress.formulas.checks import boolean, check_finite, check_not_empty, choice, integer
from refcompress.formulas.quantization import decimal, fixed_point, uniform
from refcompress.nn import Conv2d, Linear, Network
from refcompress.storage import CompressedModel, NodeRecord, QuantizedTensor
from refcompress.storage.quantized_tensor import SCHEMES

GRANULARITIES = ("tensor", "channel")


@dataclass(frozen=True)
class Scheme:
    """How weights become codes. None stands for what fits the other fields, and is filled in where it is needed.

    Parameters
    ----------
    scheme : {"uniform", "decimal", "fixed-point"}
    bits : int from 1 to 16
        Bits of a code; default 4. Not for decimal, whose bits follow from the codes.
    places : int from 0 to 15
        Decimal places; for decimal only, default 2.
    fraction_bits : int from 0 to 126
        For fixed-point only; the default is the finest of each range at which nothing saturates.
    granularity : {"tensor", "channel"}
        One range for a weight, or one for each of its neurons. Default "channel" where ranges are chosen.
    float_biases : bool
        Keep biases (and batch norms) as floats; otherwise they are quantized too, one range each.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range, or does not belong to the scheme.
    """

    scheme: str = "uniform"
    bits: int | None = None
    places: int | None = None
    fraction_bits: int | None = None
    granularity: str | None = None
    float_biases: bool = False

    def __post_init__(self) -> None:
        scheme = choice("scheme", self.scheme, SCHEMES)
        if self.places is not None and scheme != "decimal":
            raise ValueError(f"places must not be given with the scheme {scheme!r}, got {self.places}")
        if self.fraction_bits is not None and scheme != "fixed-point":
            raise ValueError(f"fraction_bits must not be given with the scheme {scheme!r}, got {self.fraction_bits}")
        if self.bits is not None and scheme == "decimal":
            raise ValueError(
                f"bits must not be given with the scheme 'decimal', got {self.bits}: they follow from places"
            )
        has_ranges = scheme == "uniform" or (scheme == "fixed-point" and self.fraction_bits is None)
        if self.granularity == "channel" and not has_ranges:
            raise ValueError(
                "granularity must not be 'channel' where no ranges are chosen (decimal, given fraction_bits)"
            )
        if scheme == "decimal":
            places = 2 if self.places is None else self.places
            object.__setattr__(self, "places", integer("places", places, 0, 15))
        else:
            object.__setattr__(self, "bits", integer("bits", 4 if self.bits is None else self.bits, 1, 16))
        boolean("float_biases", self.float_biases)
        if self.fraction_bits is not None:
            integer("fraction_bits", self.fraction_bits, 0, fixed_point.MAX_FRACTION_BITS)
        if self.granularity is None:
            object.__setattr__(self, "granularity", "channel" if has_ranges else "tensor")
        choice("granularity", self.granularity, GRANULARITIES)


def quantize_model(
    model: Network, scheme: Scheme | None = None, metadata: Mapping[str, str | int | float | bool | None] | None = None
) -> CompressedModel:
    """Quantize all weights of a network, and its biases unless the scheme keeps them as floats.

    Parameters
    ----------
    model : Network
        Stays as it is.
    scheme : Scheme
        Default Scheme(): uniform, 4 bits, one range for every neuron.
    metadata : dict, optional
        Kept with the model.

    Returns
    -------
    CompressedModel
        Buffers (running statistics) stay floats.

    Raises
    ------
    ValueError
        If a weight is not finite, or its codes need more than 16 bits; the error names the array.
    """
    scheme = Scheme() if scheme is None else scheme
    tensors: dict[str, QuantizedTensor | np.ndarray] = {}
    for node in model.nodes:
        for key, array in {**node.layer.parameters, **node.layer.buffers}.items():
            check_not_empty(f"{node.name}.{key}", array)
            check_finite(f"{node.name}.{key}", array)
        for key, array in node.layer.parameters.items():
            name = f"{node.name}.{key}"
            is_weight = isinstance(node.layer, Linear | Conv2d) and key == "weight"
            if is_weight or not scheme.float_biases:
                per_channel = is_weight and scheme.granularity == "channel"
                tensors[name] = _quantize(name, array, scheme, per_channel)
            else:
                tensors[name] = array.copy()
        tensors |= {f"{node.name}.{key}": array.copy() for key, array in node.layer.buffers.items()}
    nodes = tuple(NodeRecord(n.name, type(n.layer).__name__, n.layer.settings, n.inputs) for n in model.nodes)
    return CompressedModel(nodes, model.input_shape, tensors, dict(metadata or {}))


def _quantize(name: str, w: np.ndarray, scheme: Scheme, per_channel: bool) -> QuantizedTensor:
    rows = w.reshape(len(w) if per_channel else 1, -1)  # (groups, values of one range)
    low, high = rows.min(axis=1), rows.max(axis=1)
    bits, code_offset = scheme.bits or 0, 0
    z = np.zeros_like(low)
    try:
        if scheme.scheme == "uniform":
            s, z = uniform.scale_and_offset(low, high, bits)
            codes = uniform.quantize(rows, s[:, np.newaxis], z[:, np.newaxis], bits)
        elif scheme.scheme == "fixed-point":
            chosen = scheme.fraction_bits
            f = fixed_point.largest_fraction_bits(low, high, bits) if chosen is None else np.full(len(rows), chosen)
            codes = fixed_point.quantize(rows, f[:, np.newaxis], bits)
            s = fixed_point.dequantize(np.ones(len(rows), int), f, w.dtype)
            code_offset = -(2 ** (bits - 1))
        else:
            codes = decimal.quantize(rows, scheme.places or 0)
            s = np.full(len(rows), decimal.scale(scheme.places or 0, w.dtype))
            code_offset = int(codes.min())
            bits = max(1, (int(codes.max()) - code_offset).bit_length())
            if bits > 16:
                raise ValueError(f"places must be few enough for codes of 16 bits, got {scheme.places}: {bits} bits")
    except ValueError as error:
        raise ValueError(f"{name} cannot be quantized: {error}") from None
    return QuantizedTensor(codes.reshape(w.shape), s, z, bits, code_offset, scheme.scheme)
