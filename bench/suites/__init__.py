"""Data sets: the simulated suites, Dresden, and folders of the user's own photographs."""
