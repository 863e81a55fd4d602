"""python -m noether is the command noether."""

from noether.cli import main

if __name__ == "__main__":  # worker processes import this file again
    main()
