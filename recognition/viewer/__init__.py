"""The window, its keys, and the status line.

In: annotated images, keys and clicks.
Out: a window, and the commands of its user.
May import: foundation, recognition.sources, recognition.outputs, recognition.tracking.
"""
