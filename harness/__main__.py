"""python -m harness is the command noether."""

from harness.cli import main

if __name__ == "__main__":  # worker processes import this file again
    main()
