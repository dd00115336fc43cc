"""brevitas: its 8-bit weight and activation quantizers, and IntQuant at any scale and zero point."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import WITHOUT_NAN, Pair, quantized, ranges, weight_rows
from tests.crosscheck.registry import register

ZERO = np.float32(0)  # added: brevitas keeps codes as floats, −0 among them


def int_quant(signed, narrow, bits):
    """IntQuant as a function of x, s and Z."""
    import torch
    from brevitas.core.function_wrapper import Identity
    from brevitas.core.quant import IntQuant

    quantizer = IntQuant(narrow_range=narrow, signed=signed, input_view_impl=Identity())

    def numbers(x, s, Z):
        s, Z, bits_ = (torch.tensor(float(p)) for p in (s, Z, bits))
        return quantizer(s, Z, bits_, torch.from_numpy(x)).numpy() + ZERO

    return numbers


def of_layer(rows, quantizer, bits):
    """Weights, scales and zero points of a layer with these weights."""
    import brevitas.nn
    import torch

    layer = brevitas.nn.QuantLinear(rows.shape[1], len(rows), bias=False, weight_quant=quantizer, weight_bit_width=bits)
    layer.weight.data = torch.from_numpy(rows.copy())
    with torch.no_grad():
        q = layer.quant_weight()
        return [p.numpy() + ZERO for p in (q.value, q.scale.reshape(-1), q.zero_point.reshape(-1))]


def weights(c, rng, qmin, qmax, bits, quantizer, ends):
    """Per channel, a row each; then a few rows per tensor."""
    import brevitas.quant as quantizers

    rows, drawn = weight_rows(c, qmin, qmax, 34, rng, ends, 200_000)
    s, Z = affine.choose(rows.min(1), rows.max(1), qmin, qmax, c)
    theirs = of_layer(rows, getattr(quantizers, f"{quantizer}PerChannelFloat"), bits)
    yield Pair(f"scale of a channel for {bits} bits", theirs[1], s, rows[:, :2])
    if theirs[2].size == Z.size:  # a symmetric layer has one zero point
        yield Pair(f"zero point of a channel for {bits} bits", theirs[2], Z, rows[:, :2])
    ours = affine.fake_quantize(rows, s, Z, qmin, qmax, c, 0)
    yield Pair(f"weights of {bits} bits", theirs[0], ours, rows, drawn)
    per_tensor = getattr(quantizers, f"{quantizer}PerTensorFloat")
    for i in range(0, len(rows), len(rows) // 100):
        row = rows[i : i + 1]
        s, Z = affine.choose(row.min(), row.max(), qmin, qmax, c)
        theirs = of_layer(row, per_tensor, bits)
        yield Pair(f"scale and zero point of a tensor for {bits} bits", np.concatenate(theirs[1:]),
                   np.array([s, Z], np.float32), np.stack([row[0, :2]] * 2))  # fmt: skip
        ours = affine.fake_quantize(row, s, Z, qmin, qmax, c)
        yield Pair(f"weights of a tensor of {bits} bits", theirs[0], ours, row)


@register("brevitas", library="brevitas")
def symmetric_weights(c, rng):
    for bits in (8, 4, 2):
        qmin, qmax = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        yield from weights(c, rng, qmin, qmax, bits, "Int8Weight", ranges(qmin, qmax, rng))
    yield from quantized(c, -128, 127, int_quant(True, True, 8), rng, special=WITHOUT_NAN, fake=True)


@register("brevitas_shifted", library="brevitas")
def shifted_weights(c, rng):
    for bits in (8, 4, 2):
        yield from weights(c, rng, 0, 2**bits - 1, bits, "ShiftedUint8Weight", ranges(0, 2**bits - 1, rng))
    yield from quantized(c, 0, 255, int_quant(False, False, 8), rng, special=WITHOUT_NAN, fake=True)


@register("brevitas_activations", library="brevitas")
def activations(c, rng):
    """The range of the first batch of up to 50,000 values is their largest magnitude."""
    import brevitas.nn
    import torch
    from brevitas.quant import Int8ActPerTensorFloat

    yield from quantized(c, -128, 127, int_quant(True, False, 8), rng, special=WITHOUT_NAN, fake=True)
    ends = tuple(end[::15] for end in ranges(-128, 127, rng, largest=1e30))
    rows, _ = weight_rows(c, -128, 127, 258, rng, ends, 0)
    for row in rows[:: len(rows) // 400]:
        layer = brevitas.nn.QuantIdentity(act_quant=Int8ActPerTensorFloat, return_quant_tensor=True).train()
        with torch.no_grad():
            q = layer(torch.from_numpy(row))
        s, Z = affine.choose(row.min(), row.max(), -128, 127, c)
        yield Pair("scale of a batch", q.scale.numpy().reshape(1), s.reshape(1), row[None, :2])
        yield Pair("a batch", q.value.numpy() + ZERO, affine.fake_quantize(row, s, Z, -128, 127, c), row)
