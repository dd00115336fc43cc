"""What a black box does with NaN and infinity."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from refcompress.conformance.diagnosis.interview import Refused
from refcompress.conformance.diagnosis.questions import Question
from refcompress.conformance.targets.errors import Crashed, Hung, TargetError
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.convention import AXES, Convention

__all__ = ["NAMES", "NUMBERS", "Nonfinite", "ask", "observed"]

NAMES = {"-inf": "−∞", "inf": "∞", "nan": "NaN"}
NUMBERS = {"-inf": -np.inf, "inf": np.inf, "nan": np.nan}


@dataclass(frozen=True)
class Nonfinite:
    """What became of each, and the values of the axis nonfinite that say so.

    Attributes
    ----------
    outcomes : dict
        Of "-inf", "inf" and "nan", as far as known: the code, or "error", "crash", "hang" or "no code".
    values : tuple of str
        Empty if no known one does.
    """

    outcomes: Mapping[str, int | str]
    values: tuple[str, ...]


def ask(put: Callable[[Question], int], zero_point: int, narrow: Iterable[str], qmin: int, qmax: int) -> Nonfinite:
    """Ask a black box for the codes of −∞, ∞ and NaN, one call for each; nothing that it does there is fatal."""
    outcomes: dict[str, int | str] = {}
    for name, x in NUMBERS.items():
        try:
            outcomes[name] = put(Question(x, 1.0, zero_point))
        except Refused as error:
            outcomes[name] = "crash" if isinstance(error.__cause__, Crashed) else "error"
        except Hung:
            outcomes[name] = "hang"
        except TargetError:
            outcomes[name] = "no code"
    return observed(outcomes, narrow, qmin, qmax)


def observed(outcomes: Mapping[str, int | str], narrow: Iterable[str], qmin: int, qmax: int) -> Nonfinite:
    """Return outcomes with the values of nonfinite that give them, the codes being as narrow as one of these says."""
    found = tuple(narrow)
    values = [
        value
        for value in AXES["nonfinite"]
        if any(all(_outcome(x, value, n, qmin, qmax) == outcomes[x] for x in outcomes) for n in found)
    ]
    return Nonfinite(dict(outcomes), tuple(values))


def _outcome(x: str, value: str, narrow: str, qmin: int, qmax: int) -> int | str:
    convention = Convention(nonfinite=value, narrow=narrow)
    try:
        return int(affine.quantize(np.array([NUMBERS[x]], np.float32), 1.0, qmin, qmin, qmax, convention)[0])
    except ValueError:
        return "error"
