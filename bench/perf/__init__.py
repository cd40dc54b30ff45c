"""Measures how close scoring comes to what the machine can do."""
