"""Simulated cameras: scenes, camera models and devices, capture, and the suites made of them."""
