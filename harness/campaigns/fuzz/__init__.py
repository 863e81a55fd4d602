"""Fuzzing at volume: batches of random launches under every law, guided towards those that spend most.

next_batch.py  which batch comes next: the grid of cells, the archive of worst lanes, mutation
batch.py       one batch: draw, screen, ask about every alarm, replay the worst and a sample on the host
probe.py       what is under test: a backend, or a planted fault; and the host's judgement of a few lanes
campaign.py    the time box: batches in worker processes (dispatch.py)
outcome.py     what they come to
example.py     one violating launch as plain data; minimise.py makes it small, corpus.py keeps it as a file
regimes.py     where in the space of starts and parameters a lane is drawn; lanes.py is the ordinary draw
"""
