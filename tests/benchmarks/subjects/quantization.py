"""Uniform quantization of ten million float32 weights beside PyTorch, and beside a copy of the same array."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from refcompress.formulas.quantization import uniform
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

BITS = 8
ALL_BITS, QUICK_BITS = range(1, 17), (1, 4, 8, 16)


def figures(context: Context) -> Iterator[Figure]:
    """Per tensor and per channel with 8 bits beside PyTorch, per tensor with every number of bits beside a copy."""
    w = np.random.default_rng(0).standard_normal(context.size((4096, 2441), tiny=(16, 25)), np.float32)
    if "torch" in context.against:
        for kind in ("per tensor", "per channel"):
            yield from _beside_torch(context, w, kind)
    yield from _beside_a_copy(replace(context, threads=context.threads[:1]), w)  # no BLAS, so no threads


def _range(w: np.ndarray, kind: str, bits: int = BITS) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of what w really holds, for every row (axis 0 is the channels) or for all."""
    across = {"axis": 1, "keepdims": True} if kind == "per channel" else {}
    return uniform.scale_and_offset(w.min(**across), w.max(**across), bits)


def _beside_torch(context: Context, w: np.ndarray, kind: str) -> Iterator[Figure]:
    s, z = _range(w, kind)
    q, torch_q, peer = uniform.quantize(w, s, z, BITS), *_torch(w, s, z)

    def same(ours: np.ndarray, theirs: Any) -> bool:
        # Each side is within half a step of w. PyTorch is so because its zero point is −z/s rounded to an integer:
        # it moves the codes' grid by up to half a step, so that the ends of the range are still within half a step
        # of the grid's ends. What floating point adds is at most the slack, on each side.
        return bool((np.abs(ours - theirs.numpy()) <= s + 2 * uniform.float_slack(s, z, BITS)).all())

    def beside(name: str, ours: partial[np.ndarray], theirs: Any, agrees: bool) -> Iterator[Figure]:
        return context.compare(f"{name} {kind}, 8 bits, 10 million weights", "torch", ours, theirs, agrees=agrees)

    codes_agree = same(uniform.dequantize(q, s, z), torch_q.dequantize())
    yield from beside("quantize", partial(uniform.quantize, w, s, z, BITS), peer.quantize, codes_agree)
    if peer.range_and_quantize:
        ours, theirs = partial(_range_and_quantize, w, kind), peer.range_and_quantize
        agrees = same(uniform.dequantize(ours(), s, z), theirs().dequantize())
        yield from beside("range and quantize", ours, theirs, agrees)
    yield from beside("dequantize", partial(uniform.dequantize, q, s, z), torch_q.dequantize, codes_agree)
    ours = partial(uniform.fake_quantize, w, s, z, BITS)
    yield from beside("fake-quantize", ours, peer.fake_quantize, same(ours(), peer.fake_quantize()))


def _range_and_quantize(w: np.ndarray, kind: str) -> np.ndarray:
    return uniform.quantize(w, *_range(w, kind), BITS)


class Peer(NamedTuple):
    """PyTorch's functions of no arguments."""

    quantize: Any
    fake_quantize: Any
    range_and_quantize: Any  # None where there is no such function


def _torch(w: np.ndarray, s: np.ndarray, z: np.ndarray) -> tuple[Any, Peer]:
    """PyTorch's codes, and its functions, for the same weights and scale and the nearest zero point it can have."""
    import torch

    v, point = torch.from_numpy(w), np.rint(-z / s).astype(np.int32)
    if s.ndim:
        scales, points = torch.from_numpy(s.reshape(-1)), torch.from_numpy(point.reshape(-1))
        quantize = partial(torch.quantize_per_channel, v, scales, points, 0, torch.quint8)
        fake = partial(torch.fake_quantize_per_channel_affine, v, scales, points, 0, 0, 2**BITS - 1)
        with_range = None
    else:
        quantize = partial(torch.quantize_per_tensor, v, float(s), int(point), torch.quint8)
        fake = partial(torch.fake_quantize_per_tensor_affine, v, float(s), int(point), 0, 2**BITS - 1)
        with_range = partial(torch.quantize_per_tensor_dynamic, v, torch.quint8, False)
    with warnings.catch_warnings():  # once a process, so the timed calls are without it
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor, .* are deprecated", UserWarning)
        return quantize(), Peer(quantize, fake, with_range)


def _beside_a_copy(context: Context, w: np.ndarray) -> Iterator[Figure]:
    for bits in QUICK_BITS if context.quick or context.tiny else ALL_BITS:
        s, z = _range(w, "per tensor", bits)
        q = uniform.quantize(w, s, z, bits)
        for name, work in {
            "quantize": partial(uniform.quantize, w, s, z, bits),
            "dequantize": partial(uniform.dequantize, q, s, z),
            "fake-quantize": partial(uniform.fake_quantize, w, s, z, bits),
        }.items():
            yield from context.compare(
                f"{name} per tensor, {bits} bits, 10 million weights", "memory copy", work, w.copy, agrees=None
            )
