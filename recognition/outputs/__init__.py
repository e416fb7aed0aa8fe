"""Annotated images and videos, and crops of unknown faces.

In: images, boxes, identities.
Out: files.
May import: foundation, foundation.drawing, recognition.sources.
"""
