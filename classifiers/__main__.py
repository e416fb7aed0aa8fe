"""``python -m classifiers``: see `classifiers.commands.main`."""

import sys

from classifiers.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
