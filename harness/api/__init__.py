"""The project from Python: verify, simulate, and what they find as arrays, frames, tables and plots."""
