"""A module of the package with an error planted in it, for the tests of the tests."""

from types import SimpleNamespace


def planted(module, **errors):
    """The module with some of its functions exchanged."""
    return SimpleNamespace(**{**vars(module), **errors})
