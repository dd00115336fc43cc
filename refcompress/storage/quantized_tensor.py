"""One tensor as integer codes with what turns them back into weights."""

from dataclasses import dataclass

import numpy as np

from refcompress.formulas.checks import (
    check_dtype,
    check_finite,
    check_shape,
    choice,
    float_array,
    integer,
    integer_array,
)
from refcompress.formulas.coding import ledger
from refcompress.formulas.quantization import uniform

SCHEMES = ("uniform", "decimal", "fixed-point")


@dataclass(frozen=True, eq=False)
class QuantizedTensor:
    """Codes q, scales s and offsets z, so that w′ = s · q + z (Q3), whatever scheme made them.

    Parameters
    ----------
    codes : integer array of the tensor's shape
        q.
    scale, offset : (groups,) float arrays of one dtype
        s and z: one of each for the tensor, or one for every entry of its first axis.
    bits : int from 1 to 16
        Bits of one stored code.
    code_offset : int
        The stored code is q − code_offset, from 0 to 2^bits − 1.
    scheme : one of SCHEMES
        Which formula made the codes.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a code does not fit.
    """

    codes: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    bits: int
    code_offset: int
    scheme: str

    def __post_init__(self) -> None:
        codes = integer_array("codes", self.codes)
        if codes.ndim == 0 or codes.size == 0:
            raise ValueError(f"codes must have at least one axis and one element, got shape {codes.shape}")
        scale, offset = float_array("scale", self.scale, ndim=1), float_array("offset", self.offset, ndim=1)
        check_shape("offset", offset, scale.shape)
        check_dtype("offset", offset, scale.dtype)
        if len(scale) not in (1, len(codes)):
            raise ValueError(f"scale must have 1 or {len(codes)} entries, got {len(scale)}")
        check_finite("scale", scale)
        check_finite("offset", offset)
        if (scale <= 0).any():
            raise ValueError(f"scale must be above 0, got {scale.min()}")
        choice("scheme", self.scheme, SCHEMES)
        largest = 2 ** integer("bits", self.bits, 1, 16) - 1
        integer("code_offset", self.code_offset, -(2**53), 2**53)
        low, high = int(codes.min()) - self.code_offset, int(codes.max()) - self.code_offset
        if low < 0 or high > largest:
            raise ValueError(f"codes - code_offset must be from 0 to {largest}, got {low} to {high}")

    @property
    def groups(self) -> int:
        """Parts with a scale and an offset of their own."""
        return len(self.scale)

    def stored_codes(self) -> np.ndarray:
        """The codes as they are packed, q − code_offset: int64, from 0 to 2^bits − 1."""
        return self.codes.astype(np.int64) - self.code_offset

    def per_entry(self, values: np.ndarray) -> np.ndarray:
        """Bring (groups,) values into a shape that broadcasts to the tensor's."""
        return values.reshape(-1, *(1,) * (self.codes.ndim - 1))

    def dequantize(self) -> np.ndarray:
        """The weights w′ = s · q + z (Q3), in the dtype of scale and offset."""
        return uniform.dequantize(self.codes, self.per_entry(self.scale), self.per_entry(self.offset))

    def entry(self) -> ledger.Entry:
        """Bytes of payload, scales and offsets."""
        return ledger.entry(self.codes.size, self.bits, self.groups, self.scale.dtype.itemsize)
