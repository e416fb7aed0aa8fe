"""What is measured once for a preset, on many people: background model, thresholds, clusters, settings.

In: vectors (n, d) of many people with their identities (n,).
Out: the files of `classifiers.scores.preset_files`.
May import: foundation, classifiers.scores, classifiers.people_files, classifiers.groups, classifiers.training.
"""
