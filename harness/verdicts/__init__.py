"""How a number becomes a verdict: holds, violated, inconclusive or outside."""
