"""How property tests run: few examples, the same ones every time, no clock."""

from hypothesis import settings

FEW = settings(max_examples=50, deadline=None, derandomize=True)
