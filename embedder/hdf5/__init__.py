"""HDF5 files judged before the HDF5 library opens them here: on damaged data it can loop for ever, or crash.

In: paths of HDF5 files, streams of files just written.
Out: what is wrong with a file, its checksum, its outline.
May import: nothing.
"""
