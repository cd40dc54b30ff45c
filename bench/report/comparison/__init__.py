"""Attacks against each other, on the images that both were scored on."""
