"""``python -m embedder``: see `embedder.commands.main`."""

import sys

from embedder.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
