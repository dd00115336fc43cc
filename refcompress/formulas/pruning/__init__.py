"""Which neurons are unimportant, and what their removal does to the arrays (P1 to P4)."""

from refcompress.formulas.pruning import (
    reduction,
    removal,
    selection,
    stability,
    streaming_moments,
)

__all__ = [
    "reduction",
    "removal",
    "selection",
    "stability",
    "streaming_moments",
]
