"""Packing and unpacking of eight million codes of b bits: codes a second, and beside a copy of the same array."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from refcompress.formulas.coding import packing
from tests.benchmarks.context import Context
from tests.benchmarks.measure import repeats_for, seconds
from tests.benchmarks.result import Figure
from tests.benchmarks.values import in_unit

ALL_BITS, QUICK_BITS = range(1, 17), (1, 3, 8, 12, 16)
SLICE = 4096  # codes, whole bytes for every b


def figures(context: Context) -> Iterator[Figure]:
    """Both directions, every number of bits; no BLAS, so no threads."""
    count = context.size(8_000_000, tiny=SLICE + 3)
    for bits in QUICK_BITS if context.quick or context.tiny else ALL_BITS:
        q = np.random.default_rng(bits).integers(0, 2**bits, count, np.uint8 if bits <= 8 else np.uint16)
        data = packing.pack(q, bits)
        agrees = np.array_equal(packing.unpack(data, bits, count), q) and _same_bytes(q, data, bits)
        yield from _direction(context, f"pack, {bits} bits, 8 million codes", partial(packing.pack, q, bits), q, agrees)
        yield from _direction(
            context, f"unpack, {bits} bits, 8 million codes", partial(packing.unpack, data, bits, count), q, agrees
        )


def _same_bytes(q: np.ndarray, data: np.ndarray, bits: int) -> bool:
    """Is the begin of data what NumPy makes of the codes' bits, one after the other?"""
    stream = (q[:SLICE, np.newaxis] >> np.arange(bits)) & 1
    return np.array_equal(np.packbits(stream.astype(np.uint8), bitorder="little"), data[: SLICE * bits // 8])


def _direction(context: Context, name: str, work: partial[np.ndarray], q: np.ndarray, agrees: bool) -> Iterator[Figure]:
    repeats = repeats_for(work, context.at_least)
    yield in_unit(context, name, "codes/s", lambda: q.size / seconds(work, repeats), sense="higher", agrees=agrees)
    yield from replace(context, threads=(1,)).compare(name, "memory copy", work, q.copy, agrees=None)
