"""A challenge: images go out under opaque ids, images or predictions come back and are scored.

Nobody's code runs. What comes back is a stranger's: it is read in memory, file by file, and checked
before anything is believed of it.
"""
