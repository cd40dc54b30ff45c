"""Is this machine fit to run the benchmark? Versions, devices, LPIPS, the store."""
