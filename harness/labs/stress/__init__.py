"""Stress: runs that are killed, doubled, starved and damaged."""
