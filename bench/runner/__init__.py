"""Fills the matrix: a graph of idempotent jobs, an executor, a streaming scorer."""
