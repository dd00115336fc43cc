"""What a target can do instead of answering."""

__all__ = [
    "Crashed",
    "Garbage",
    "Hung",
    "Missing",
    "Modified",
    "NotStarted",
    "Raised",
    "TargetError",
    "Unsteady",
    "one_line",
]


class TargetError(Exception):
    """The message says it in one line."""


class NotStarted(TargetError, ValueError):
    """It cannot be imported or started: whoever named it is wrong, not the target."""


class Raised(TargetError):
    """It says that the call is an error."""


class Modified(TargetError):
    """It answered, and changed an argument."""


class Unsteady(TargetError):
    """It answered the same call in two ways."""


class Garbage(TargetError):
    """What came back is no result."""


class Crashed(TargetError):
    """Its process ended."""


class Hung(TargetError):
    """It did not answer in time."""


class Missing(TargetError):
    """A file of results has none for this case."""


def one_line(text: str, length: int = 300) -> str:
    """Return what others wrote on one line, without control characters and not longer than length."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return line if len(line) <= length else f"{line[: length - 1]}…"
