"""Where every order puts bit j of code k: a number of a bit of the bytes, in plain loops over one code after the other.

Bit number a is bit a % 8 of byte a // 8, so bit j of the little-endian 32-bit word w is number 32·w + j.
"""

# order: the bits that its codes may have
WIDTHS = {
    "lsb": tuple(range(1, 17)),
    "int32_dense": tuple(range(1, 9)),
    "int32_words": tuple(range(1, 9)),
    "awq": (4,),
    "low_nibble_first": (2, 4),
    "high_nibble_first": (2, 4),
    "ggml": (4,),
    "ggml_32": (1, 2, 4),
    "ggml_64": (4,),
    "hqq": (1, 2, 3, 4, 8),
    "torchao_uintx": tuple(range(1, 8)),
}
PIECES = {1: (1,), 2: (2,), 3: (2, 1), 4: (4,), 5: (4, 1), 6: (4, 2), 7: (4, 2, 1)}  # torchao cuts codes into these
AWQ = (0, 2, 4, 6, 1, 3, 5, 7)  # code in nibble 0, 1 … of a word, the lowest first


def multiple(bits: int, order: str) -> int:
    """Return what a count must be a multiple of."""
    return {
        "awq": 8,
        "high_nibble_first": 8 // bits,
        "ggml": 32,
        "ggml_32": 32 * (8 // bits),
        "ggml_64": 128,
        "hqq": 1 if bits == 3 else 8 // bits,
        "torchao_uintx": 8,
    }.get(order, 1)


def size(count: int, bits: int, order: str) -> int:
    """Return the number of bytes."""
    if order == "int32_dense":
        return 4 * up(count * bits, 32)
    if order == "int32_words":
        return 4 * up(count, 32 // bits)
    if order == "hqq" and bits == 3:
        return 4 * up(count, 10)
    return up(count * bits, 8)


def up(number: int, divisor: int) -> int:
    """Return the quotient, rounded up."""
    return (number + divisor - 1) // divisor


def bit(code: int, j: int, count: int, bits: int, order: str) -> int:
    """Return the number of the bit where bit j of this code lies."""
    if order in ("lsb", "int32_dense"):
        return code * bits + j
    if order == "int32_words":
        word, place = divmod(code, 32 // bits)
        return 32 * word + bits * place + j
    if order == "awq":
        word, within = divmod(code, 8)
        return 32 * word + 4 * AWQ.index(within) + j
    if order == "low_nibble_first":
        byte, place = divmod(code, 8 // bits)
        return 8 * byte + bits * place + j
    if order == "high_nibble_first":
        byte, place = divmod(code, 8 // bits)
        return 8 * byte + 8 - bits * (place + 1) + j
    if order in ("ggml", "ggml_32", "ggml_64"):
        run = {"ggml": 16, "ggml_32": 32, "ggml_64": 64}[order]
        block, within = divmod(code, run * (8 // bits))
        level, byte = divmod(within, run)
        return 8 * (run * block + byte) + bits * level + j
    if order == "hqq":
        per_word, word_bits = (10, 32) if bits == 3 else (8 // bits, 8)
        part, word = divmod(code, up(count, per_word))
        return word_bits * word + bits * (per_word - 1 - part) + j
    if order == "torchao_uintx":
        shard_start = 0
        for width in PIECES[bits]:
            if j < width:
                part, byte = divmod(code, count * width // 8)
                return 8 * (shard_start + byte) + width * part + j
            j -= width
            shard_start += count * width // 8
    raise KeyError(order)


def pack(codes: list[int], bits: int, order: str) -> list[int]:
    """Return the bytes, from bits set one at a time."""
    data = [0] * size(len(codes), bits, order)
    for k, code in enumerate(codes):
        for j in range(bits):
            if code // 2**j % 2 == 1:
                place = bit(k, j, len(codes), bits, order)
                data[place // 8] += 2 ** (place % 8)
    return data


def unpack(data: list[int], bits: int, count: int, order: str) -> list[int]:
    """Return the codes, from bits read one at a time."""
    codes = []
    for k in range(count):
        code = 0
        for j in range(bits):
            place = bit(k, j, count, bits, order)
            code += 2**j * (data[place // 8] // 2 ** (place % 8) % 2)
        codes.append(code)
    return codes


def unused(count: int, bits: int, order: str) -> list[int]:
    """Return the numbers of the bits that no code has."""
    used = {bit(k, j, count, bits, order) for k in range(count) for j in range(bits)}
    return [place for place in range(8 * size(count, bits, order)) if place not in used]


def arrange(codes: list[int], bits: int, order: str) -> list[list[int]]:
    """Return the codes word by word, from the lowest bits on, for orders that neither are dense nor cut codes."""
    bytes_of_a_word = 4 if order in ("int32_words", "awq") or (order, bits) == ("hqq", 3) else 1
    word_bits = 8 * bytes_of_a_word
    words = [[0] * (word_bits // bits) for _ in range(size(len(codes), bits, order) // bytes_of_a_word)]
    for k, code in enumerate(codes):
        word, place = divmod(bit(k, 0, len(codes), bits, order), word_bits)
        words[word][place // bits] = code
    return words
