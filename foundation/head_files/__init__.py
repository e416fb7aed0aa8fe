"""What a head file says of itself, checked as a whole before anything in it is believed.

In: a head file, or the bytes of an archive inside one.
Out: its description (``facetable.json``) and the headers of its arrays, that agree with each other and with the file.
May import: foundation.
"""
