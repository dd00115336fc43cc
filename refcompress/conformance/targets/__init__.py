"""Targets: other people's implementations, in processes of their own. All that starts a process is in this room."""
