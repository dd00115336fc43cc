"""Neural-network compression as a pure-NumPy reference: every formula once, small, tested and exact."""

__version__ = "0.1.0"
