"""Scores: success rates, distortion. Importing this package does not import torch."""

SCORER_VERSION = 2
"""Raise it when the same networks and images would give other rows; entries never mix versions."""
