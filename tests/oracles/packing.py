"""Codes of b bits in a stream of bits, written as text: one character a bit."""


def stream(codes: list[int], bits: int) -> str:
    """Return the bits of all codes, every code from its least significant bit on."""
    text = ""
    for code in codes:
        for place in range(bits):
            text += "1" if code // 2**place % 2 == 1 else "0"
    return text


def pack(codes: list[int], bits: int) -> list[int]:
    """Return the bytes: bit j of the stream is bit j % 8 of byte j // 8, and what is left of the last byte is 0."""
    text = stream(codes, bits)
    while len(text) % 8 != 0:
        text += "0"
    return [int(text[start : start + 8][::-1], 2) for start in range(0, len(text), 8)]


def unpack(data: list[int], bits: int, count: int) -> list[int]:
    """Return the codes, taken from one large integer."""
    number = 0
    for byte in reversed(data):
        number = 256 * number + byte
    codes = []
    for _ in range(count):
        codes.append(number % 2**bits)
        number //= 2**bits
    return codes
