"""The flag by which somebody says whose code a head file may run."""

import argparse


def add_trust_argument(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add ``--trust``: types of a head of one's own, as ``my_module.MyHead``; it may be repeated."""
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="my_module.MyHead",
        help="whose code the head's file may run beside scikit-learn's and this project's: a class of your own; may be "
        "repeated",
    )
