"""Checking: a target against the cases of a formula, then against its properties."""
