"""Writes what a matrix holds into a folder: rows, entries, cards, samples."""
