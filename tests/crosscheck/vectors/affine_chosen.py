"""Codes by libraries that choose scales themselves: first the ends of a range that has the scale, then the numbers."""

from dataclasses import replace
from functools import partial

import numpy as np

from refcompress.conformance.comparison import Expected
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import PRESETS
from tests.crosscheck.registry import ENTRIES
from tests.crosscheck.vectors.asking import ask_of_weights
from tests.crosscheck.vectors.row import library, row, tensor


def ends(preset, scale, zero_point, qmin, qmax):
    """A range that has this scale and zero point, or None."""
    c = replace(PRESETS[preset], scale_dtype="float32")
    dtype = np.float64 if preset == "tflite_weights_dynamic_range" else np.float32  # computes in double
    for q in ([qmin, qmax], [qmin + 1, qmax]):
        low, high = np.sort(affine.dequantize(np.array(q), scale, zero_point, c)).astype(np.float32)
        low, high = (part.ravel().astype(dtype) for part in np.meshgrid(nearby(low), nearby(high)))
        low, high = np.minimum(low, high), np.maximum(low, high)
        scales, points = affine.choose(low, high, qmin, qmax, PRESETS[preset])
        found = np.flatnonzero((scales == scale) & (points == zero_point))
        if found.size:
            return low[found[0]], high[found[0]]
    return None


def nearby(x):
    """x, and numbers to both sides of it."""
    return x + np.array(sorted(range(-8, 9), key=abs), np.float32) * np.spacing(x)


def weights(preset, x, scale, zero_point, qmin, qmax):
    """The ends of a range, then x; or None."""
    pair = ends(preset, scale, zero_point, qmin, qmax)
    return np.array([*pair, *x], np.float32) if pair and pair[0] <= x.min() and x.max() <= pair[1] else None


def torch_dynamic(w, qmax):
    torch = library("torch")
    q = torch.quantize_per_tensor_dynamic(tensor(w), torch.qint8 if qmax == 127 else torch.quint8, False)
    return np.float32(q.q_scale()), q.q_zero_point(), q.int_repr().numpy()  # keeps the scale as float64


def brevitas_activations(w, qmax):
    kind = library("brevitas.quant").Int8ActPerTensorFloat
    layer = library("brevitas.nn").QuantIdentity(act_quant=kind, return_quant_tensor=True).train()
    return (layer(tensor(w)).scale.detach().numpy(),)


OTHER = {"torch_quantize_dynamic": torch_dynamic, "brevitas_activations": brevitas_activations}
SHOWN = {  # how a library shows scale and zero point
    **dict.fromkeys(("torch_quantize_dynamic", "onnxruntime_blockwise", "brevitas_shifted"), (np.asarray, np.asarray)),
    **dict.fromkeys(("gptq", "gptq_symmetric", "awq"), (np.asarray, np.asarray)),
    **dict.fromkeys(("onnxruntime_blockwise_symmetric", "brevitas", "brevitas_activations"), (np.asarray,)),
    **dict.fromkeys(("tflite_weights", "tflite_weights_dynamic_range"), (np.float32,)),
    **dict.fromkeys(("ggml_q4_0", "ggml_q8_0"), (np.float16,)),
    "ggml_q4_1": (np.float16, np.float16),
    "hqq": (np.reciprocal, np.asarray),
    "bitsandbytes": (),  # keeps the largest magnitude
}
GIVEN = ("gptq", "gptq_symmetric", "awq", "brevitas", "brevitas_shifted", "brevitas_activations")  # codes elsewhere


def shown(forms, expected):
    parts = zip(expected.items(), forms, strict=False)
    return {name: replace(e, value=np.asarray(form(e.value))) for (name, e), form in parts}


def asked(preset, count, w, qmin, qmax):
    return OTHER[preset](w, qmax)[:count] if preset in OTHER else ask_of_weights(preset, count, w, qmin, qmax)


def quantize(preset, x, scale, zero_point, qmin, qmax):
    w, forms = weights(preset, x, scale, zero_point, qmin, qmax), SHOWN[preset]
    assert w is not None, "it cannot be asked"
    *found, codes = asked(preset, len(forms) + 1, w, qmin, qmax)
    given = shown(forms, {"scale": Expected(np.array(scale)), "zero_point": Expected(np.array(zero_point))})
    for part, e in zip(found, given.values(), strict=True):  # the library has found that scale, too
        np.testing.assert_array_equal(np.ravel(part), np.ravel(e.value))
    return codes[2 : w.size]


def choose(preset, low, high, qmin, qmax):
    return tuple(asked(preset, len(SHOWN[preset]), np.array([low, high]), qmin, qmax))


for name, forms in SHOWN.items():
    if name not in GIVEN:
        without = {"no weights have this scale and these values": lambda p=name, **given: weights(p, **given) is None}
        row("affine.quantize", name, ENTRIES[name].library, without)(partial(quantize, name))
    if forms:
        row("qparams.choose", name, ENTRIES[name].library, shown=partial(shown, forms))(partial(choose, name))
