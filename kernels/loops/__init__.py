"""The hand-written Triton loops, and what launches them: thousands of trajectories at once, the time loop in
the kernel."""
