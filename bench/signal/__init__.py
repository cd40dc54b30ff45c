"""Signal processing both sides share: colour filter arrays and wavelet noise residuals."""
