"""`noether bench --work ode`: trajectories of the equations of motion, ours and other tools at one accuracy.

problem     what is solved: coordinates and damped integrals of the charges, of many lanes
reference   the solution that errors are measured against, by a method that is not timed
solver_*    one file a tool: its methods, its ladder of tolerances, how it runs a problem
session     the process in which one tool runs, on one processor
comparison  errors, the fastest setting that reaches an accuracy, rounds of timings
report      the tables, the picture, plain data
"""
