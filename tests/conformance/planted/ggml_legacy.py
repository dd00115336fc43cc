"""Wrong blocks of 32: what each property must see."""

from refcompress.formulas.quantization.formats import ggml_legacy
from tests.conformance.planted import ggml_bytes


def positive(x):
    """The magnitude of the extreme makes d."""
    data = ggml_legacy.quantize(x, "q4_0")
    data[:, 1] |= 128
    return data


def nibbles_exchanged(x):
    data = ggml_legacy.quantize(x, "q4_0")
    data[:, 2:] = data[:, 2:] >> 4 | data[:, 2:] << 4
    return data


def last_d_for_all(x):
    data = ggml_legacy.quantize(x, "q8_0")
    data[:, :2] = data[-1:, :2]
    return data


# property: (convention, wrong implementation)
PLANTED = {
    "the_extreme_has_the_end_code": ("q4_0", nibbles_exchanged),
    "weights_come_back": ("q4_0", positive),
    "blocks_are_written_alone": ("q8_0", last_d_for_all),
    **ggml_bytes.blocks(lambda data: ggml_legacy.dequantize(data, "q5_1"), convention="q5_1"),
}
