"""torch: quantize_per_tensor, _per_channel and _dynamic, fake_quantize, and the observers."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import SPECIAL, Pair, chosen, grouped, quantized, ranges, restored
from tests.crosscheck.registry import register

TYPES = {"quint8": (0, 255), "qint8": (-128, 127)}


def observed(kind, dtype, **options):
    """A function of ranges that asks a per-channel observer for scales and zero points."""
    import torch
    from torch.ao.quantization import PerChannelMinMaxObserver

    def choose(low, high):
        scheme = getattr(torch, f"per_channel_{kind}")
        observer = PerChannelMinMaxObserver(ch_axis=0, dtype=getattr(torch, dtype), qscheme=scheme, **options)
        observer(torch.from_numpy(np.stack([low, high], 1)))
        scale, zero_point = observer.calculate_qparams()
        return scale.numpy(), zero_point.numpy()

    return choose


def observed_one_by_one(kind, dtype):
    """The same by an observer of whole tensors."""
    import torch
    from torch.ao.quantization import MinMaxObserver

    def choose(low, high):
        found = []
        for tensor in torch.from_numpy(np.stack([low, high], 1)):
            observer = MinMaxObserver(dtype=getattr(torch, dtype), qscheme=getattr(torch, f"per_tensor_{kind}"))
            observer(tensor)
            found.append([float(p) for p in observer.calculate_qparams()])
        return np.array(found).T

    return choose


def affine_ranges(c, rng):
    for dtype, (qmin, qmax) in TYPES.items():
        ends = ranges(qmin, qmax, rng)
        yield from chosen(c, qmin, qmax, observed("affine", dtype), ends, "per channel")
        few = tuple(end[:: max(len(end) // 300, 1)] for end in ends)
        yield from chosen(c, qmin, qmax, observed_one_by_one("affine", dtype), few, "per tensor")
    for dtype, qmin, qmax in (("qint8", -127, 127), ("quint8", 0, 15), ("qint8", -8, 7), ("qint8", -64, 63)):
        theirs = observed("affine", dtype, quant_min=qmin, quant_max=qmax)
        yield from chosen(c, qmin, qmax, theirs, ranges(qmin, qmax, rng))


def symmetric_ranges(c, rng):
    for dtype, (qmin, qmax) in TYPES.items():
        ends = ranges(qmin, qmax, rng)
        yield from chosen(c, qmin, qmax, observed("symmetric", dtype), ends, "per channel")
        few = tuple(end[:: max(len(end) // 300, 1)] for end in ends)
        yield from chosen(c, qmin, qmax, observed_one_by_one("symmetric", dtype), few, "per tensor")
    for qmin, qmax in ((-127, 127), (-8, 7), (-64, 63)):
        theirs = observed("symmetric", "qint8", quant_min=qmin, quant_max=qmax)
        yield from chosen(c, qmin, qmax, theirs, ranges(qmin, qmax, rng))


@register("torch_quantize", library="torch")
def per_tensor(c, rng):
    import torch

    for dtype, (qmin, qmax) in TYPES.items():
        kind = getattr(torch, dtype)

        def codes(x, s, Z, kind=kind):
            return torch.quantize_per_tensor(torch.from_numpy(x), float(s), int(Z), kind).int_repr().numpy()

        def numbers(q, s, Z, kind=kind):
            tensor = torch.from_numpy(q.astype(np.uint8 if kind == torch.quint8 else np.int8))
            return torch._make_per_tensor_quantized_tensor(tensor, float(s), int(Z)).dequantize().numpy()

        yield from quantized(c, qmin, qmax, codes, rng, special=SPECIAL)
        yield from restored(c, qmin, qmax, numbers)
        for n in range(1, 70):  # every length: the vectorised body and the rest
            x = (rng.integers(-200, 200, n) + 0.5).astype(np.float32) * np.float32(0.0371)
            ours = affine.quantize(x, 0.0371, 100, qmin, qmax, c)
            yield Pair(f"quantize {n} values by scale 0.0371 and zero point 100", codes(x, 0.0371, 100), ours, x)
    yield from affine_ranges(c, rng)


@register("torch_quantize_per_channel", library="torch")
def per_channel(c, rng):
    import torch

    for dtype, (qmin, qmax) in TYPES.items():
        kind = getattr(torch, dtype)

        def codes(x, s, Z, axis=0, block_size=None, kind=kind):
            scales, points = (torch.from_numpy(np.atleast_1d(p)) for p in (np.float64(s), np.int64(Z)))
            x = torch.from_numpy(x if np.ndim(s) else x[None])
            return torch.quantize_per_channel(x, scales, points, axis, kind).int_repr().numpy()

        def numbers(q, s, Z, kind=kind):
            tensor = torch.from_numpy(q.astype(np.uint8 if kind == torch.quint8 else np.int8))[None]
            scales, points = torch.tensor([float(s)], dtype=torch.float64), torch.tensor([int(Z)])
            return torch._make_per_channel_quantized_tensor(tensor, scales, points, 0).dequantize().numpy()

        yield from quantized(c, qmin, qmax, codes, rng, special=SPECIAL)
        yield from grouped(c, qmin, qmax, codes, rng)
        yield from restored(c, qmin, qmax, numbers)
    yield from affine_ranges(c, rng)


@register("torch_quantize_dynamic", library="torch")
def dynamic(c, rng):
    import torch

    for dtype, (qmin, qmax) in TYPES.items():
        kind = getattr(torch, dtype)

        def choose(low, high, kind=kind):
            found = []
            for tensor in torch.from_numpy(np.stack([low, high], 1)):
                q = torch.quantize_per_tensor_dynamic(tensor, kind, False)
                found.append((q.q_scale(), q.q_zero_point()))
            return np.array(found).T

        low, high = ends = ranges(qmin, qmax, rng)
        yield from chosen(c, qmin, qmax, choose, ends)
        for i in range(0, len(low), len(low) // 60):  # whole tensors: ties of the scale that refcompress chooses
            s, Z = affine.choose(low[i], high[i], qmin, qmax, c)
            steps = rng.uniform(low[i], high[i], 18_000).astype(np.float32)
            ties = ((np.arange(qmin, qmax) + 0.5 - Z) * np.float64(s)).astype(np.float32)
            x = np.clip(np.concatenate([[low[i], high[i]], ties, steps]).astype(np.float32), low[i], high[i])
            q = torch.quantize_per_tensor_dynamic(torch.from_numpy(x), kind, False)
            what = f"quantize a tensor from {low[i].item()!r} to {high[i].item()!r} to codes {qmin} to {qmax}"
            yield Pair(what, q.int_repr().numpy(), affine.quantize(x, s, Z, qmin, qmax, c), x, steps.size)
            yield Pair(f"de{what}", q.dequantize().numpy(), affine.fake_quantize(x, s, Z, qmin, qmax, c), x)


def fake(c, rng):
    """Values of fake_quantize_per_tensor_affine."""
    import torch

    def numbers(qmin, qmax):
        def of(x, s, Z):
            return torch.fake_quantize_per_tensor_affine(torch.from_numpy(x), float(s), int(Z), qmin, qmax).numpy()

        return of

    for qmin, qmax in TYPES.values():
        yield from quantized(c, qmin, qmax, numbers(qmin, qmax), rng, special=SPECIAL, fake=True)
    yield from quantized(c, -8, 7, numbers(-8, 7), rng, random=100_000, special=SPECIAL, fake=True)
    once = {"random": 100_000, "scales": (np.float32(0.0371),), "fake": True}
    yield from quantized(c, -32768, 32767, numbers(-32768, 32767), rng, special=SPECIAL, **once)


@register("torch_fake_quantize", "torch_observer_affine", library="torch")
def fake_and_affine(c, rng):
    yield from fake(c, rng)
    yield from affine_ranges(c, rng)


@register("torch_fake_quantize_per_channel", library="torch")
def fake_by_channel(c, rng):
    import torch

    def numbers(qmin, qmax):
        def of(x, s, Z):
            s, Z = torch.tensor([float(s)]), torch.tensor([int(Z)], dtype=torch.int32)
            return torch.fake_quantize_per_channel_affine(torch.from_numpy(x[None]), s, Z, 0, qmin, qmax).numpy()

        return of

    for qmin, qmax in (*TYPES.values(), (-8, 7)):
        yield from quantized(c, qmin, qmax, numbers(qmin, qmax), rng, special=SPECIAL, fake=True)
    yield from affine_ranges(c, rng)


@register("torch_observer_symmetric", library="torch")
def fake_and_symmetric(c, rng):
    yield from fake(c, rng)
    yield from symmetric_ranges(c, rng)
