"""The time loops in Triton, and the launcher that runs them on every backend."""
