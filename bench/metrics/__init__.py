"""Scores: success rates, distortion. Importing this package does not import torch."""

SCORER_VERSION = 1
"""Raise it when the same networks and images would give other rows; entries never mix versions."""
