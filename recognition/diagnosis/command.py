"""The command ``facetable doctor``."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import foundation
from foundation.command_line import EXIT_COULD_NOT_RUN, EXIT_DONE, Command, write_json
from foundation.text import join_words
from foundation.threads import add_device_argument
from recognition.diagnosis.check import Findings, run_check
from recognition.diagnosis.machine import check_cameras, check_fonts, check_providers, check_space, check_system
from recognition.diagnosis.networks import check_cache, check_weights
from recognition.diagnosis.packages import check_opencv, check_packages
from recognition.diagnosis.self_test import check_self

CHECKS: dict[str, Callable[[], Findings]] = {
    "system": check_system,
    "packages": check_packages,
    "opencv": check_opencv,
    "devices": check_providers,
    "weights": check_weights,
    "cache": check_cache,
    "fonts": check_fonts,
    "cameras": check_cameras,
    "space": check_space,
    "self-test": check_self,
}
"""In the order of the report; the last one takes most of the time."""

_WIDTH = max(map(len, CHECKS))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_device_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")


def _run(arguments: argparse.Namespace) -> int:
    found: dict[str, Findings] = {}
    for name, check in CHECKS.items():
        found[name] = run_check(check)
        print("\n".join(_lines_of(name, found[name])), flush=True)
    broken = [name for name, findings in found.items() if findings.problems]
    print(f"broken: {join_words(broken)}" if broken else "nothing is broken")
    if arguments.json is not None:
        write_json(arguments.json, _to_json(found))
    return EXIT_COULD_NOT_RUN if broken else EXIT_DONE


def _lines_of(name: str, findings: Findings) -> list[str]:
    lines = [*(f"BROKEN: {problem}" for problem in findings.problems), *findings.lines]
    return [f"{label:<{_WIDTH}}  {line}" for label, line in zip([name, *[""] * len(lines)], lines, strict=False)]


def _to_json(found: Mapping[str, Findings]) -> dict[str, object]:
    return {
        "facetable": foundation.__version__,
        "is_healthy": not any(findings.problems for findings in found.values()),
        "checks": {name: findings.to_json() for name, findings in found.items()},
    }


DOCTOR = Command("doctor", "Check this machine; what it prints belongs into a bug report.", _add_arguments, _run)
