"""Measures how close the runner and the trainers come to what the machine can do."""
