"""What is drawn, saved and recorded.

In: images and what is known about their faces.
Out: annotated images, videos, crops of unknown faces.
May import: foundation, recognition.sources.
"""
