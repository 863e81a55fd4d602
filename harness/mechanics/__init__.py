"""What must happen, derived apart from the kernels: theorem, equations of motion, solutions, wide numbers,
bounds."""
