"""Leaderboards: entry folders that may share a table, ranked, as tables and as a static site."""
