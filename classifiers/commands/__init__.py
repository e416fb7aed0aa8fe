"""The commands of ``python -m classifiers``: arguments in, library call, report out.

In: command lines.
Out: files, reports and exit codes.
May import: foundation, foundation.plug_ins, every wing of classifiers, embedder.images, embedder.videos,
    embedder.networks, embedder.tables, people.forgetting.
"""
