"""The machine and what lies on it: files, processes, limits, and words that come from outside."""
