"""A property tried on a target: a wrong answer is shrunk to the simplest input, a crash or a hang ends the trial."""

from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, HypothesisException

from refcompress.conformance.checking.verdict import Attempt, Failure
from refcompress.conformance.properties import Property
from refcompress.conformance.targets.errors import Crashed, Garbage, Hung, TargetError, one_line

__all__ = ["trial"]


class _Ended(BaseException):
    """Not an Exception: Hypothesis would go on calling the target for a simpler input."""


def trial(
    p: Property, call: Callable[[dict[str, Any]], Any], parameters: tuple[str, ...], convention: str, max_examples: int
) -> Failure | None:
    """Return how a target, called with arguments by name, fails a property, or None."""
    attempts: list[Attempt] = []

    def f(*arguments: Any) -> Any:
        named = dict(zip(parameters, arguments, strict=True))
        attempts.append(Attempt(named))
        try:
            result = call(named)
        except (Crashed, Garbage, Hung) as error:
            raise _Ended from error
        attempts[-1] = Attempt(named, result)
        return result

    def holds(f: Callable[..., Any], convention: str, **drawn: Any) -> None:
        attempts.clear()
        p.holds(f, convention, **drawn)

    try:
        with TemporaryDirectory() as folder:
            set_hypothesis_home_dir(folder)  # it would write into the current one
            replace(p, holds=holds).check(f, convention, max_examples)
    except _Ended as ended:
        wrong: BaseException | None = ended.__cause__
    except Exception as error:
        if isinstance(error, HypothesisException) and not isinstance(error, Flaky):
            raise  # the property's fault, not the target's
        wrong = error
    else:
        return None
    finally:
        set_hypothesis_home_dir(None)
    text = f"{p.sentence.rstrip('.')}: {_said(wrong)}"
    return Failure(p.name, one_line(text, 500), tuple(attempts), hung=isinstance(wrong, Hung))


def _said(wrong: BaseException | None) -> str:
    if isinstance(wrong, (AssertionError, TargetError)):
        return str(wrong)
    if isinstance(wrong, Flaky):
        return "the same call gives another result the second time"
    return f"{type(wrong).__name__}: {wrong}"  # an answer of which the property can make nothing
