"""Larger attacks made of cells: fuzzing, the kill matrix, discovery of symmetries."""
