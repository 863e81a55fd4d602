"""Laws about averages and long runs: gradient noise has no part along a symmetry, and scale-invariant losses
settle."""
