"""A formula written once: traced from plain arithmetic, differentiated, run in numpy, printed for Triton."""
