"""Targets are imported by the processes that serve them, not by pytest in search of doctests."""

collect_ignore_glob = ["*.py"]
