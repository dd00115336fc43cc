"""Bytes counted one by one."""

from fractions import Fraction


def payload(count: int, bits: int) -> int:
    """Return the bytes that `count` codes fill, by starting a new byte whenever the last one is full."""
    full, room = 0, 0
    for _ in range(count * bits):
        if room == 0:
            full, room = full + 1, 8
        room -= 1
    return full


def unused_bits(count: int, bits: int) -> int:
    """Return the bits of the last byte that no code uses."""
    return 8 * payload(count, bits) - count * bits


def ratio(original_bytes: int, compressed_bytes: int) -> Fraction:
    """Return how many times smaller the compressed form is."""
    return Fraction(original_bytes, compressed_bytes)
