"""A user's own case file: read once, tried out in a process of its own, and named where it fails."""
