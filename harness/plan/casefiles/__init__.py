"""Case files of users: read once, tried out in a process of their own, and refused in one line where they
fail."""
