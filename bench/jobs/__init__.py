"""Everything that computes: jobs, and what they work with."""
