"""Answers of an oracle that is asked the same again and again: each is worked out once."""

from collections.abc import Callable
from typing import Any


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of hashable arguments, given by their places, with its answers kept."""
    answers: dict[tuple[Any, ...], Any] = {}

    def ask(*arguments: Any) -> Any:
        if arguments not in answers:
            answers[arguments] = function(*arguments)
        return answers[arguments]

    return ask
