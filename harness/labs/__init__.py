"""What the project does to itself: benchmarks against other tools, stress, the GPU run, the picture of its
rooms."""
