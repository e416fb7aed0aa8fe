"""Training of heads: calibration of thresholds, open-set evaluation, identification metrics.

In: vectors (n, d) with identities (n,), or an object with a table's columns.
Out: fitted heads, calibrated thresholds, identification rates.
May import: foundation, classifiers.scores, classifiers.heads.
"""
