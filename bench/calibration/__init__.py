"""The simulated cameras beside real ones, and beside each other."""
