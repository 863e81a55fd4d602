"""Formulas traced from plain arithmetic: differentiated, run in numpy, printed for Triton."""
