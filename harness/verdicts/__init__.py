"""How a number becomes a verdict: records, orders, the power of a check, and the exit code."""
