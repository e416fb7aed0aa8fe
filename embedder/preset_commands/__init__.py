"""The command ``facetable preset``: networks to choose from, and records of new ones.

In: arguments.
Out: records and tables for people; exit codes.
May import: foundation, embedder.choosing, embedder.networks.
"""
