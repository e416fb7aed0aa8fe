"""Runnable studies; their commands and figures stand in README.md."""
