"""Text on pictures, in every script: which fonts have its characters, how wide it is, what it looks like.

The one wing of `foundation` that needs more than the standard library: NumPy and Pillow, loaded by those who draw.

In: text, sizes in pixels, colours.
Out: fonts, pixels of text.
May import: foundation.
"""
