"""The command ``facetable preset calibrate``: what is measured for a preset, from tables to files.

In: arguments.
Out: files of a preset; exit codes.
May import: foundation, classifiers.scores, classifiers.presets, embedder.networks, embedder.tables.
"""
