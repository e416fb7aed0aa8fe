"""What is drawn: text on pictures in every script, and the axes of plots of shares.

The one wing of `foundation` that needs more than the standard library: NumPy, Pillow and Matplotlib, loaded by those
who draw.

In: text, sizes in pixels, colours; axes, shares.
Out: fonts, pixels of text; labelled axes.
May import: foundation.
"""
