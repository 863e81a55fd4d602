"""The losses of the catalogue, one a file: each is a small paper with its symmetries, its metric and its
source."""
