"""Executing cells and keeping what they find: workers, the run folder, its completeness, baselines,
replays."""
