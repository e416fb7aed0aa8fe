"""Run the page: ``python -m webapp WORKSPACE`` is ``facetable serve WORKSPACE``."""

import sys

from foundation.command_line import run_command
from webapp.server.command import SERVE

if __name__ == "__main__":
    sys.exit(run_command("python -m webapp", SERVE, None))
