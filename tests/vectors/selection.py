"""The fewest inputs that kill every wrong variant, and tell each two of them apart where any input does."""

import numpy as np


def goals(answers: np.ndarray) -> np.ndarray:
    """Return (candidates, goals) bool: which candidate kills which variant, or tells which two apart.

    answers are (candidates, 1 + variants) integers, equal where answers are equal; the first column is the right one.
    """
    columns = range(answers.shape[1])
    pairs = [(a, b) for a in columns for b in columns if a < b]
    reached = np.array([answers[:, a] != answers[:, b] for a, b in pairs], bool).reshape(len(pairs), len(answers)).T
    kills = (answers[:, 1:] != answers[:, :1]).any(axis=1)
    return reached & kills[:, None]  # an input on which all variants are right is no case


def smallest(reached: np.ndarray) -> list[int]:
    """Return candidates that reach every goal which any reaches, none of which can be left out, in ascending order.

    The one that reaches most of what is left is taken, the first of several; then those that are not needed any more
    are dropped, the last first.
    """
    left = reached.any(axis=0)
    chosen: list[int] = []
    while left.any():
        best = int((reached & left).sum(axis=1).argmax())
        chosen.append(best)
        left &= ~reached[best]
    wanted = reached.any(axis=0)
    for candidate in sorted(chosen, reverse=True):
        others = [c for c in chosen if c != candidate]
        if (reached[others].any(axis=0) == wanted).all():
            chosen = others
    return sorted(chosen)


def made_for(kills: np.ndarray) -> list[list[int]]:
    """Return for each chosen case the variants that no other is more specific for: fewest kills, first of equals."""
    counts = kills.sum(axis=1)
    own: list[list[int]] = [[] for _ in kills]
    for variant in range(kills.shape[1]):
        killers = np.flatnonzero(kills[:, variant])
        own[int(killers[counts[killers].argmin()])].append(variant)
    return own
