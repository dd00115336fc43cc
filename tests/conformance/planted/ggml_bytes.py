"""Wrong readers of ggml's blocks, made from right ones: what each shared property must see."""

import numpy as np


def first_block_for_all(dequantize):
    return lambda data: dequantize(np.repeat(data[:1], len(data), axis=0))


def rounded_weights(dequantize):
    return lambda data: np.rint(dequantize(data))


def halves_mixed(dequantize):
    """The first half of the weights has the bits of the second half too."""

    def wrong(data):
        x = dequantize(data)
        x[: len(x) // 2] += x[len(x) // 2 :]
        return x

    return wrong


def blocks(dequantize, convention="default"):
    return {
        "blocks_are_on_their_own": (convention, first_block_for_all(dequantize)),
        "doubles_with_the_float16_scales": (convention, rounded_weights(dequantize)),
        "a_bit_of_the_codes_is_of_one_weight": (convention, halves_mixed(dequantize)),
    }


def super_blocks(dequantize):
    return blocks(dequantize) | {"a_bit_of_the_scales_is_of_one_group": ("default", halves_mixed(dequantize))}
