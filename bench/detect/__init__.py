"""Detectors: was this picture treated by an anonymiser? Features of images, and who reads them."""
