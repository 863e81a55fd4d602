"""What we do to ourselves: benchmarks against other tools, stress, and the run on a GPU."""
