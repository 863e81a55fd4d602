"""Stress tests of runs that are killed, started twice, starved of disk, and damaged."""
