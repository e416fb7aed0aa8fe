"""What every package stands on: errors, text, paths, atomic files; loads nothing but the standard library.

In: paths, text, numbers.
Out: the same, checked, with one error and one way to write a file for all.
May import: nothing.
"""
