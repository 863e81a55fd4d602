"""The machine: files, processes, limits, and text that comes from outside."""
