"""What must happen, derived apart from the kernels: the theorem, equations of motion, solutions, wide
numbers, bounds."""
