"""Signal processing both sides share: colour filter arrays and wavelet noise residuals."""

BAYER_PATTERNS = ("RGGB", "GRBG", "GBRG", "BGGR")
DEMOSAICERS = ("bilinear", "smooth-hue", "malvar2004", "hamilton-adams", "menon2007")
"""What `bench.signal.cfa` can do, by name."""
