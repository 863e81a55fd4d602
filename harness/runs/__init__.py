"""Running cells and keeping what they find: workers, run folder, completeness, baseline, replay."""
