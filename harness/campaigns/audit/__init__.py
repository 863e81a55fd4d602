"""The audit: which learning rule somebody else's optimizer obeys, and in which arithmetic."""
