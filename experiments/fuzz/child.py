"""Run damaged files one after the other in a process that may be killed: ``python -m experiments.fuzz.child WHOLE``.

Standard input names a kind and a file a line; standard output answers with a line of JSON for each.
"""

import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

# What a process may ask for at all, so that a swelling one does not take the machine with it.
_ADDRESS_SPACE = 8 * 2**30


def peak_bytes() -> int:
    """Return the most memory this process has held since `forget_peak`."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def forget_peak() -> None:
    """Begin to measure anew (Linux, proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def main(argv: list[str]) -> int:
    """Answer every line of standard input."""
    from experiments.fuzz.kinds import KINDS, run_quietly

    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    whole = Path(argv[0])
    for line in sys.stdin:
        name, path = line.rstrip("\n").split("\t")
        forget_peak()
        began = time.monotonic()
        answer: dict[str, Any] = {"code": 0, "errors": "", "broken": ""}
        try:
            answer["code"], answer["errors"], answer["broken"] = run_quietly(KINDS[name], Path(path), whole)
        except (Exception, SystemExit):  # noqa: BLE001 - that nothing is raised is what is tested
            answer["errors"] = traceback.format_exc()
        answer |= {"seconds": time.monotonic() - began, "bytes": peak_bytes()}
        print(json.dumps(answer), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
