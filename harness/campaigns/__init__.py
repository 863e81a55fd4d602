"""Larger attacks that are made of cells: fuzzing, the kill matrix of planted faults, the discovery of
symmetries."""
