"""How fast the benchmark runs on a machine, beside how such work is usually run."""
