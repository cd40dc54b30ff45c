"""Who is meant: names, patterns, plug-in files and objects of Python."""
