"""Damaged files of every kind that is read: whether each is refused in one line, in little time and memory.

In: a number of files and a seed.
Out: counts by kind and outcome; the files that failed.
"""
