"""Every preset against its library: no mismatch on a million values; and wrong presets, which have to be seen."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from refcompress.formulas.quantization.conventions import PRESETS
from tests.crosscheck.presets import ENTRIES
from tests.crosscheck.registry import EXACT

README = Path(__file__).parent.parent.parent / "README.md"
WRONG = [
    ("onnx", {"rounding": "half_away"}),
    ("onnx", {"zero_range": "one"}),
    ("onnxruntime", {"quotient": "reciprocal"}),
    ("onnxruntime", {"nonfinite": "nan_high"}),
    ("onnxruntime", {"zero_point_rounding": "half_away"}),
    ("onnxruntime_weights", {"zero_point_from": "rounded_scale"}),
    ("onnxruntime_weights_symmetric", {"scale": "symmetric_qmax"}),
    ("onnxruntime_blockwise", {"zero_point_added": "after"}),
    ("onnxruntime_blockwise_symmetric", {"scale": "symmetric_qmin"}),
    ("tensorflow_fake_quant", {"rounding": "half_even"}),
    ("tensorflow_fake_quant", {"zero_point_added": "after"}),
    ("tflite_reference", {"quotient": "reciprocal"}),
    ("tflite_reference", {"zero_point_from": "rounded_scale"}),
    ("tflite_activations", {"rounding": "half_away"}),
    ("tflite_activations", {"nonfinite": "nan_low"}),
    ("tflite_weights", {"quotient": "divide"}),
    ("tflite_weights", {"smallest_range": 4e-7}),
    ("tflite_weights_dynamic_range", {"rounding": "half_even"}),
    ("gemmlowp", {"zero_point_added": "after"}),
    ("qonnx", {"zero_point_added": "after"}),
    ("ggml_q4_0", {"rounding": "half_even"}),
    ("ggml_q4_0", {"scale_dtype": "float32"}),
    ("ggml_q4_1", {"quotient": "divide", "zero_range": "one"}),
    ("ggml_q8_0", {"scale": "symmetric_half"}),
    ("torch_quantize", {"quotient": "reciprocal"}),
    ("torch_quantize", {"smallest_scale": 2**-24}),
    ("torch_quantize_per_channel", {"quotient": "fused"}),
    ("torch_quantize_dynamic", {"zero_point": "rounded_difference"}),
    ("torch_fake_quantize", {"zero_point_added": "before"}),
    ("torch_fake_quantize_per_channel", {"nonfinite": "nan_low"}),
    ("torch_observer_affine", {"zero_point_rounding": "half_away"}),
    ("torch_observer_symmetric", {"scale": "symmetric_qmax", "zero_point": "zero"}),
    ("torchao", {"quotient": "divide"}),
    ("torchao_symmetric", {"nonfinite": "nan_low"}),
    ("torchao_symmetric_no_clipping", {"scale": "symmetric_half"}),
    ("compressed_tensors", {"zero_point_added": "after"}),
    ("compressed_tensors_symmetric", {"scale": "symmetric_qmax"}),
    ("brevitas", {"narrow": "no"}),
    ("brevitas_activations", {"scale": "symmetric_qmax"}),
    ("brevitas_shifted", {"include_zero": "yes"}),
    ("gptq", {"zero_point_rounding": "half_away"}),
    ("gptq_symmetric", {"scale": "symmetric_half"}),
    ("awq", {"include_zero": "yes"}),
    ("hqq", {"smallest_scale": 1e-5}),
    ("bitsandbytes", {"rounding": "half_away"}),
    ("source", {"rounding": "half_away"}),
]


def entry(preset):
    found = ENTRIES[preset]
    if not found.installed:
        pytest.skip(f"{found.needs} is not installed")
    return found


def test_every_preset_has_a_comparison():
    assert set(ENTRIES) == set(PRESETS)


def test_every_preset_has_a_wrong_variant_that_is_tried():
    assert {preset for preset, _ in WRONG} == set(PRESETS)


def test_the_table_in_the_readme_has_every_preset_once():
    table = re.search(r"<!-- presets -->\n(.*?)<!-- /presets -->", README.read_text(), re.DOTALL)
    assert table, "README.md has no table between <!-- presets --> and <!-- /presets -->: python -m tests.crosscheck"
    assert re.findall(r"^\| `(\w+)` \|", table[1], re.MULTILINE) == list(PRESETS)


@pytest.mark.crosscheck
@pytest.mark.parametrize("preset", PRESETS)
def test_no_value_differs(preset):
    found = entry(preset).run()
    assert found.mismatches == 0, found.first
    assert found.random >= (0 if found.how == EXACT else 1_000_000)


@pytest.mark.crosscheck
@pytest.mark.parametrize(("preset", "wrong"), WRONG, ids=lambda part: part if isinstance(part, str) else str(part))
def test_a_wrong_preset_is_seen(preset, wrong):
    variant = replace(PRESETS[preset], **wrong)
    assert entry(preset).run(variant, stop=True).mismatches > 0
