"""GPTQ and AWQ, which are no packages: the arithmetic that they document, written out in torch's operations."""

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import MILLION, Pair, quantized, ranges, weight_rows
from tests.crosscheck.registry import register

HOW = "torch transcription, not run"


def gptq_range(rows, top, symmetric):
    """Scale and zero point of every row."""
    import torch

    nothing = torch.zeros(len(rows))
    low, high = torch.minimum(rows.min(1)[0], nothing), torch.maximum(rows.max(1)[0], nothing)
    if symmetric:
        high = torch.maximum(low.abs(), high)
        low = torch.where(low < 0, -high, low)
    empty = (low == 0) & (high == 0)
    low, high = torch.where(empty, -1.0, low), torch.where(empty, 1.0, high)
    s = (high - low) / top
    return s, torch.full_like(s, (top + 1) / 2) if symmetric else torch.round(-low / s)


def awq_range(rows, top):
    """Scale and zero point of every row."""
    import torch

    low, high = rows.min(1)[0], rows.max(1)[0]
    s = (high - low).clamp(min=1e-5) / top
    return s, (-torch.round(low / s)).clamp(0, top)


def codes(x, s, Z, top):
    """Codes, as floats."""
    import torch

    return torch.clamp(torch.round(x / s) + Z, 0, top)


def compared(choose):
    def pairs(c, rng):
        import torch

        for bits in (4, 8, 3, 2):
            top, random = 2**bits - 1, MILLION if bits == 4 else 100_000
            ends = tuple(end[: None if bits == 4 else 2000] for end in ranges(0, top, rng, smallest=1e-36))
            rows, drawn = weight_rows(c, 0, top, 66, rng, ends, random)
            tensor = torch.from_numpy(rows)
            scale, point = choose(tensor, top)
            theirs = codes(tensor, scale[:, None], point[:, None], top)
            s, Z = affine.choose(rows.min(1), rows.max(1), 0, top, c)
            given = rows[:, :2]
            yield Pair(f"scale of a row for {bits} bits", scale.numpy(), s, given)
            yield Pair(f"zero point of a row for {bits} bits", point.numpy(), Z, given)
            ours = affine.quantize(rows, s, Z, 0, top, c, 0)
            yield Pair(f"quantize a row to {bits} bits", theirs.numpy(), ours, rows, drawn)
            numbers = (scale[:, None] * (theirs - point[:, None])).numpy()
            yield Pair(f"dequantize a row of {bits} bits", numbers, affine.dequantize(ours, s, Z, c, 0), rows)

            def of(x, s, Z, top=top):
                return codes(torch.from_numpy(x), torch.tensor(s), torch.tensor(float(Z)), top).numpy()

            yield from quantized(c, 0, top, of, rng, special=("huge", "infinite"), random=random)

    return pairs


at_2d65066 = {"library": "IST-DASLab/gptq", "needs": "torch", "how": HOW, "version": "2d65066"}
at_d6e797a = {"library": "mit-han-lab/llm-awq", "needs": "torch", "how": HOW, "version": "d6e797a"}
register("gptq", **at_2d65066)(compared(lambda rows, top: gptq_range(rows, top, symmetric=False)))
register("gptq_symmetric", **at_2d65066)(compared(lambda rows, top: gptq_range(rows, top, symmetric=True)))
register("awq", **at_d6e797a)(compared(awq_range))
