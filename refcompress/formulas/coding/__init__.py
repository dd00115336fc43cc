"""From integers to bytes, and the count of the bytes."""
