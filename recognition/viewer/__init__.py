"""The window, its keys, and the status line.

In: annotated images, keys and clicks.
Out: what the user sees and asks for.
May import: foundation, recognition.sources, recognition.outputs, recognition.tracking.
"""
