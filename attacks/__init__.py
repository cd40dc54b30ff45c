"""Camera-model anonymisers and controls."""
