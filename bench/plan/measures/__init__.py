"""What detectors and fingerprints say of every attack of a run: jobs, then a file of the folder."""
