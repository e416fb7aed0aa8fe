"""Who does the work of a run: processes of this machine, or the workers of a Dask or Ray cluster.

In: a function and shards of work.
Out: the results, in any order.
May import: foundation.
"""
