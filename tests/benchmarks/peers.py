"""The libraries beside ours: which there are, and how to install them."""

import importlib.metadata
import importlib.util

PEERS = {"torch": "torch", "autograd": "autograd", "sklearn": "scikit-learn", "onnxruntime": "onnxruntime"}


def installed(name: str) -> bool:
    """Can it be imported?"""
    return importlib.util.find_spec(name) is not None


def chosen(names: str | None) -> frozenset[str]:
    """Peers named with commas between them, or every installed one; ValueError with the command that helps."""
    if names is None:
        return frozenset(filter(installed, PEERS))
    peers = [name.strip() for name in names.split(",") if name.strip()]
    for name in peers:
        if name not in PEERS:
            raise ValueError(f"unknown peer {name!r}: choose from {', '.join(PEERS)}")
        if not installed(name):
            raise ValueError(f"{name} is not installed: python -m pip install {PEERS[name]}")
    return frozenset(peers)


def version(name: str) -> str:
    """Name and version, without importing it: that takes a second, and not every subject needs it."""
    return f"{name} {importlib.metadata.version(PEERS[name])}"
