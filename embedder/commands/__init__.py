"""The commands of ``python -m embedder``: arguments in, library call, report out.

In: command lines.
Out: files, reports and exit codes.
May import: foundation, foundation.drawing, foundation.head_files, every wing of embedder.
"""
