"""The benchmark: the same work in this project's kernels and in other tools, measured side by side.

work         what is run: lanes, steps, the update and the residual of the charge law, as traced programs
printing     those programs as source text for another tool
peers        one file a tool: how it runs the work in its best shape, and why it cannot where it is not
             installed
agreement    did they all do the same work? decided before anything is compared
worker       one process a tool: its own threads, its own memory
measurement  rounds A B C A B C ..., ratios within a round, their median and quartiles
ceilings     what this machine can do at most, on each pipe
mix          what a step of ours asks of each pipe, and the least time that this takes
static       registers and instructions of the compiled kernel, and the bound that they imply; nothing
             measured
page         the tables, the picture, the file under docs/measurements/
"""
