"""The tests mirror the packages, folder for folder."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
"""The top folder of the checkout."""
