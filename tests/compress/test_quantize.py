import itertools
from fractions import Fraction

import numpy as np
import pytest

from refcompress import nn
from refcompress.compress import Scheme, quantize_model
from refcompress.formulas.quantization import decimal, fixed_point, uniform
from refcompress.storage import QuantizedTensor
from tests.oracles import decimal as decimal_oracle
from tests.oracles import fixed_point as fixed_point_oracle
from tests.oracles import rounding
from tests.oracles import uniform as uniform_oracle

WEIGHTS = ("conv.weight", "fc.weight")
VECTORS = ("conv.bias", "bn.weight", "bn.bias", "fc.bias")
BUFFERS = ("bn.running_mean", "bn.running_var")


def network(dtype=np.float32, seed=1):
    """Conv and linear weights with two constant rows, a constant bias, a batch norm; all sizes distinct."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    conv, fc = draw(5, 2, 2, 3), draw(3, 5 * 6)
    conv[3], fc[1] = 0.375, 0
    return nn.Sequential(
        {
            "conv": nn.Conv2d(conv, np.full(5, -0.3, dtype), stride=(2, 1)),
            "bn": nn.BatchNorm(draw(5), draw(5), draw(5), draw(5) ** 2),
            "relu": nn.ReLU(),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(fc, draw(3)),
        },
        input_shape=(2, 4, 5),
    )


def exact(array):
    return [Fraction(v) for v in array.ravel().tolist()]


def rows(array, per_channel):
    return list(array) if per_channel else [array]


def name_of(dtype):
    return np.dtype(dtype).name


def groups_of(name, scheme):
    return name in WEIGHTS and scheme.granularity == "channel"


def check(scheme, dtype=np.float32, quantize=quantize_model):
    """Every code, scale and offset equals what the oracles make of the weights."""
    model = network(dtype)
    before = model.state()
    compressed = quantize(model, scheme)
    assert list(compressed.tensors) == list(before)
    for name, w in before.items():
        tensor = compressed.tensors[name]
        if name in BUFFERS or (scheme.float_biases and name not in WEIGHTS):
            assert isinstance(tensor, np.ndarray)
            np.testing.assert_array_equal(tensor, w)
            assert tensor.dtype == dtype
            assert not np.shares_memory(tensor, w)
            continue
        assert isinstance(tensor, QuantizedTensor)
        assert tensor.scheme == scheme.scheme
        assert tensor.codes.shape == w.shape
        assert tensor.scale.dtype == tensor.offset.dtype == dtype
        per_channel = groups_of(name, scheme)
        assert tensor.groups == (len(w) if per_channel else 1)
        codes = rows(tensor.codes, per_channel)
        for row, q, s, z in zip(rows(w, per_channel), codes, exact(tensor.scale), exact(tensor.offset), strict=True):
            check_row(scheme, dtype, exact(row), q.ravel().tolist(), s, z)
        check_codes(scheme, tensor)
        dequantized = tensor.dequantize()
        assert dequantized.dtype == dtype
        check_error(scheme, w, dequantized, tensor)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])
    return compressed


def check_row(scheme, dtype, w, q, s, z):
    """One range: its scale, its offset and its codes."""
    if scheme.scheme == "uniform":
        assert z == min(w)
        assert s == uniform_oracle.float_scale(min(w), max(w), scheme.bits, name_of(dtype))
        assert q == [uniform_oracle.float_code(v, s, z, scheme.bits, "half_even", name_of(dtype)) for v in w]
        assert q[w.index(min(w))] == 0
        assert max(q) == (2**scheme.bits - 1 if max(w) > min(w) else 0)
    elif scheme.scheme == "fixed-point":
        f = scheme.fraction_bits
        if f is None:
            f = fixed_point_oracle.largest_fraction_bits(min(w), max(w), scheme.bits)
        assert (s, z) == (Fraction(1, 2**f), 0)
        assert q == [fixed_point_oracle.code(v, f, scheme.bits, "half_even") for v in w]
    else:
        assert (s, z) == (rounding.to_format(Fraction(1, 10**scheme.places), name_of(dtype)), 0)
        assert q == [decimal_oracle.float_code(v, scheme.places, "half_even", name_of(dtype)) for v in w]


def check_codes(scheme, tensor):
    """How the codes are stored: from 0, in as few bits as the scheme says."""
    stored = tensor.stored_codes()
    assert stored.min() >= 0
    assert stored.max() < 2**tensor.bits
    if scheme.scheme == "uniform":
        assert (tensor.bits, tensor.code_offset) == (scheme.bits, 0)
    elif scheme.scheme == "fixed-point":
        assert (tensor.bits, tensor.code_offset) == (scheme.bits, -(2 ** (scheme.bits - 1)))
    else:
        assert tensor.code_offset == tensor.codes.min()
        spread = int(tensor.codes.max()) - int(tensor.codes.min())
        assert tensor.bits == max(1, len(bin(spread)) - 2 if spread else 1)


def check_error(scheme, w, dequantized, tensor):
    """|w − w′| ≤ the scheme's bound + what floating point adds."""
    error = np.abs(w.astype(np.float64) - dequantized)
    if scheme.scheme == "uniform":
        s, z = tensor.per_entry(tensor.scale), tensor.per_entry(tensor.offset)
        bound = uniform.error_bound(s).astype(np.float64) + uniform.float_slack(s, z, tensor.bits)
        bound = (
            np.where(np.ptp(w.reshape(len(w), -1), axis=1).reshape(bound.shape) == 0, 0, bound)
            if tensor.groups > 1
            else bound
        )
    elif scheme.scheme == "decimal":
        bound = decimal.error_bound(scheme.places) + decimal.float_slack(w, scheme.places)
    else:
        f = np.rint(-np.log2(tensor.per_entry(tensor.scale).astype(np.float64))).astype(int)
        half = 2 ** (tensor.bits - 1)
        inside = (w >= np.ldexp(-half - 0.5, -f)) & (w <= np.ldexp(half - 0.5, -f))
        assert inside.all() or scheme.fraction_bits is not None
        bound = np.where(inside, fixed_point.error_bound(f), np.inf)
    assert (error <= bound).all()


SCHEMES = [
    *(Scheme(bits=bits, granularity=g) for bits in (1, 3, 4, 8, 11, 16) for g in ("tensor", "channel")),
    *(
        Scheme("fixed-point", bits=bits, granularity=g)
        for bits, g in itertools.product((3, 4, 8, 9, 16), ("tensor", "channel"))
    ),
    Scheme("fixed-point", bits=6, fraction_bits=0),
    Scheme("fixed-point", bits=6, fraction_bits=5),  # saturates
    Scheme("fixed-point", bits=1, fraction_bits=0),
    *(Scheme("decimal", places=places) for places in (0, 1, 2, 4)),
    Scheme(float_biases=True),
    Scheme("decimal", float_biases=True),
    Scheme("fixed-point", float_biases=True),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_equals_the_oracles(scheme, dtype):
    check(scheme, dtype)


def test_the_default_scheme_is_4_bits_uniform_per_channel():
    compressed = check(Scheme())
    assert (compressed.tensors["fc.weight"].bits, compressed.tensors["fc.weight"].groups) == (4, 3)
    assert compressed.tensors["fc.bias"].groups == 1
    default = quantize_model(network())
    for name, tensor in compressed.tensors.items():
        if isinstance(tensor, QuantizedTensor):
            np.testing.assert_array_equal(default.tensors[name].codes, tensor.codes)


def test_constant_tensors_come_back_exactly():
    for scheme in (Scheme(bits=1), Scheme(bits=16, granularity="tensor")):
        tensor = quantize_model(network(), scheme).tensors["conv.bias"]
        assert tensor.codes.tolist() == [0] * 5
        assert tensor.scale.tolist() == [1.0]
        np.testing.assert_array_equal(tensor.dequantize(), np.full(5, -0.3, np.float32))
    decimal_tensor = quantize_model(network(np.float64), Scheme("decimal", places=1)).tensors["conv.bias"]
    assert (decimal_tensor.codes.tolist(), decimal_tensor.code_offset, decimal_tensor.bits) == ([-3] * 5, -3, 1)


def literal(values, scheme, dtype=np.float64):
    model = nn.Sequential({"fc": nn.Linear(np.array([values], dtype))})
    return quantize_model(model, scheme).tensors["fc.weight"]


def test_literals():
    tensor = literal([-1.0, -0.5, 0.5, 2.0], Scheme(bits=2))
    assert tensor.codes.tolist() == [[0, 0, 2, 3]]  # 0.5 is a tie, 1.5 a tie: to the even code
    assert tensor.dequantize().tolist() == [[-1.0, -1.0, 1.0, 2.0]]
    tensor = literal([-0.5, 0.4375, 0.0, 0.09375], Scheme("fixed-point", bits=4))
    assert tensor.scale.tolist() == [0.0625]  # −0.5 is code −8 at f = 4
    assert tensor.codes.tolist() == [[-8, 7, 0, 2]]  # 1.5 is a tie
    assert tensor.stored_codes().tolist() == [[0, 15, 8, 10]]
    tensor = literal([-1.25, 0.34, 2.0], Scheme("decimal", places=1))
    assert tensor.codes.tolist() == [[-12, 3, 20]]
    assert (tensor.code_offset, tensor.bits) == (-12, 6)  # 33 codes
    assert tensor.stored_codes().tolist() == [[0, 15, 32]]


def test_decimal_codes_are_stored_from_the_smallest():
    tensor = literal([0.5, 1.25, 2.0], Scheme("decimal", places=1))
    assert tensor.codes.tolist() == [[5, 12, 20]]  # 12.5 is a tie
    assert (tensor.code_offset, tensor.bits) == (5, 4)  # 16 codes
    assert tensor.stored_codes().tolist() == [[0, 7, 15]]
    tensor = literal([-2.0, -0.5], Scheme("decimal", places=1))
    assert (tensor.codes.tolist(), tensor.code_offset, tensor.bits) == ([[-20, -5]], -20, 4)


def test_zeros_of_fixed_point():
    tensor = literal([0.0, 0.0], Scheme("fixed-point", bits=4))
    assert (tensor.codes.tolist(), tensor.scale.tolist()) == ([[0, 0]], [0.125])  # f = b − 1


def test_what_surrounds_the_tensors():
    compressed = quantize_model(network(), Scheme(), {"net": "mine", "seed": 3})
    assert compressed.input_shape == (2, 4, 5)
    assert compressed.metadata == {"net": "mine", "seed": 3}
    assert [(n.name, n.layer, n.inputs) for n in compressed.nodes] == [
        ("conv", "Conv2d", ("input",)),
        ("bn", "BatchNorm", ("conv",)),
        ("relu", "ReLU", ("bn",)),
        ("flatten", "Flatten", ("relu",)),
        ("fc", "Linear", ("flatten",)),
    ]
    assert compressed.nodes[0].settings == {
        "stride": (2, 1),
        "padding": 0,
        "dilation": 1,
        "groups": 1,
    }


@pytest.mark.parametrize("scheme", [Scheme(bits=16), Scheme("fixed-point", bits=16), Scheme("decimal", places=3)])
def test_the_network_of_the_codes_computes_about_the_same(scheme):
    model = network()
    x = np.random.default_rng(2).standard_normal((4, 2, 4, 5)).astype(np.float32)
    restored = quantize_model(model, scheme).network()
    for name, array in restored.state().items():
        assert array.dtype == np.float32
        assert np.abs(array - model.state()[name]).max() <= 6e-4  # half of 10^−3; 16 bits are finer
    # 30 weights of error 6e-4 against activations below 10, twice over
    np.testing.assert_allclose(restored.forward(x), model.forward(x), rtol=0, atol=0.3)


# ---- the settings ----


def test_defaults():
    assert vars(Scheme()) == {
        "scheme": "uniform",
        "bits": 4,
        "places": None,
        "fraction_bits": None,
        "granularity": "channel",
        "float_biases": False,
    }
    assert (Scheme("decimal").places, Scheme("decimal").bits, Scheme("decimal").granularity) == (2, None, "tensor")
    fixed = Scheme("fixed-point")
    assert (fixed.bits, fixed.fraction_bits, fixed.granularity) == (4, None, "channel")
    assert Scheme("fixed-point", fraction_bits=3).granularity == "tensor"


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"scheme": "float"}, ValueError, "scheme must be one of uniform, decimal, fixed-point"),
        ({"scheme": None}, ValueError, "scheme"),
        ({"bits": 0}, ValueError, "bits"),
        ({"bits": 17}, ValueError, "bits"),
        ({"bits": 4.0}, TypeError, "bits"),
        ({"bits": True}, TypeError, "bits"),
        ({"scheme": "fixed-point", "bits": 17}, ValueError, "bits"),
        ({"scheme": "decimal", "bits": 4}, ValueError, "bits must not be given with the scheme 'decimal'"),
        ({"places": 2}, ValueError, "places must not be given with the scheme 'uniform'"),
        ({"scheme": "fixed-point", "places": 2}, ValueError, "places must not be given with the scheme 'fixed-point'"),
        ({"scheme": "decimal", "places": -1}, ValueError, "places"),
        ({"scheme": "decimal", "places": 16}, ValueError, "places"),
        ({"scheme": "decimal", "places": 2.0}, TypeError, "places"),
        ({"fraction_bits": 2}, ValueError, "fraction_bits must not be given with the scheme 'uniform'"),
        ({"scheme": "decimal", "fraction_bits": 2}, ValueError, "fraction_bits must not be given"),
        ({"scheme": "fixed-point", "fraction_bits": -1}, ValueError, "fraction_bits"),
        ({"scheme": "fixed-point", "fraction_bits": 127}, ValueError, "fraction_bits"),
        ({"scheme": "fixed-point", "fraction_bits": 1.0}, TypeError, "fraction_bits"),
        ({"granularity": "row"}, ValueError, "granularity must be one of tensor, channel"),
        ({"scheme": "decimal", "granularity": "row"}, ValueError, "granularity"),
        ({"scheme": "decimal", "granularity": "channel"}, ValueError, "granularity must not be 'channel'"),
        (
            {"scheme": "fixed-point", "fraction_bits": 2, "granularity": "channel"},
            ValueError,
            "granularity must not be 'channel'",
        ),
    ],
)
def test_refuses(settings, error, match):
    with pytest.raises(error, match=match):
        Scheme(**settings)


# ---- weights that cannot be quantized ----


@pytest.mark.parametrize("scheme", [Scheme(), Scheme("fixed-point"), Scheme("decimal"), Scheme(float_biases=True)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["fc.weight", "conv.bias", "bn.bias", "bn.running_var"])
def test_what_is_not_finite_is_named(name, bad, scheme):
    model = network()
    layer, key = name.split(".")
    held = model.layers[layer].parameters if "running" not in key else model.layers[layer].buffers
    held[key].reshape(-1)[1] = bad
    with pytest.raises(ValueError, match=name):
        quantize_model(model, scheme)


def test_decimal_codes_over_16_bits_name_the_array():
    assert literal([0.0, 6.5535], Scheme("decimal", places=4)).bits == 16
    with pytest.raises(ValueError, match=r"fc\.weight.*places.*17 bits"):
        literal([0.0, 6.5536], Scheme("decimal", places=4))
    with pytest.raises(ValueError, match=r"fc\.weight.*2\^53"):
        literal([0.0, 1e3], Scheme("decimal", places=15))


def test_a_range_that_overflows_names_the_array():
    with pytest.raises(ValueError, match=r"fc\.weight"):
        literal([-3e38, 3e38], Scheme(), np.float32)


def test_fixed_point_too_large_for_its_bits_names_the_array():
    with pytest.raises(ValueError, match=r"fc\.weight"):
        literal([0.0, 100.0], Scheme("fixed-point", bits=4))
    assert literal([0.0, 100.0], Scheme("fixed-point", bits=4, fraction_bits=0)).codes.tolist() == [[0, 7]]


def test_an_empty_array_is_named():
    model = nn.Sequential({"fc": nn.Linear(np.zeros((0, 3)))})
    for scheme in (Scheme(), Scheme(granularity="tensor"), Scheme("decimal")):
        with pytest.raises(ValueError, match=r"fc\.weight"):
            quantize_model(model, scheme)


# ---- tests of the check ----


def planted(change):
    def quantize(model, scheme):
        compressed = quantize_model(model, scheme)
        tensors = dict(compressed.tensors)
        change(tensors)
        object.__setattr__(compressed, "tensors", tensors)
        return compressed

    return quantize


def replaced(tensor, **changes):
    arguments = {key: getattr(tensor, key) for key in ("codes", "scale", "offset", "bits", "code_offset", "scheme")}
    return QuantizedTensor(**(arguments | changes))


def code_off_by_one(tensors):
    codes = tensors["fc.weight"].codes.copy()
    codes[0, 3] ^= 1
    tensors["fc.weight"] = replaced(tensors["fc.weight"], codes=codes)


def scale_off(tensors):
    tensor = tensors["fc.weight"]
    tensors["fc.weight"] = replaced(tensor, scale=np.nextafter(tensor.scale, np.float32(9)))


def channels_reversed(tensors):
    tensor = tensors["conv.weight"]
    tensors["conv.weight"] = replaced(tensor, scale=tensor.scale[::-1], offset=tensor.offset[::-1])


def buffer_rounded(tensors):
    tensors["bn.running_var"] = np.round(tensors["bn.running_var"], 2)


def bias_per_channel(tensors):
    tensor = tensors["fc.bias"]
    tensors["fc.bias"] = replaced(tensor, scale=tensor.scale.repeat(3), offset=tensor.offset.repeat(3))


def floats_kept(tensors):
    tensors["fc.bias"] = tensors["fc.bias"].dequantize()


@pytest.mark.parametrize(
    "change", [code_off_by_one, scale_off, channels_reversed, buffer_rounded, bias_per_channel, floats_kept]
)
def test_a_planted_error_is_caught(change):
    with pytest.raises(AssertionError):
        check(Scheme(), quantize=planted(change))


def test_another_tie_rule_is_caught(monkeypatch):
    right = uniform.quantize
    monkeypatch.setattr(uniform, "quantize", lambda *a, **k: right(*a, rounding="half_up", **k))
    with pytest.raises(AssertionError):
        test_literals()
