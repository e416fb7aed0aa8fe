"""What other packages bring: found by name among those that are installed, loaded only when it is asked for.

In: the name of something in a group of entry points, or where it stands: ``module:Name``.
Out: the object, and the flag by which somebody trusts one.
May import: foundation.
"""
