"""``python -m classifiers``: see `classifiers.cli`."""

import sys

from classifiers.cli import main

if __name__ == "__main__":
    sys.exit(main())
