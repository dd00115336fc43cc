"""Forward and backward pairs of a network's operations (N1, N2)."""
