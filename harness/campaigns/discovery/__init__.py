"""Discovery: finding the affine symmetries of a loss that nobody declared.

    loss.py        the user's function: where it stands, its dimension, where it is defined
    nullspace.py   <grad f(q_i), A q_i + a> = 0 over random points: what is kept, what is broken, and the gap
                   between
    algebra.py     function multiples divided out; Killing and symmetric generators; small rational numbers;
                   brackets
    generator.py   one generator: its name, its formula, its charge, the laws, the proof at 50 digits
    large/         the same of many parameters, where no matrix of all fields fits

    module.py      the same of a small module of PyTorch, whatever its data and its loss are, beside what a
                   walk through it proposes
    numbers.py     its parameters as one vector, and its gradients at many points

Source: the linear system is theory.md section 7; conserved functions as a null space: Marcotte, Gribonval,
Peyre (2023).
"""
