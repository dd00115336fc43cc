"""From integers to bytes, and the count of the bytes."""

from refcompress.formulas.coding import (
    ledger,
    packing,
    packing_orders,
)

__all__ = [
    "ledger",
    "packing",
    "packing_orders",
]
