"""From names and options to one request, its jobs, and a folder of results."""
