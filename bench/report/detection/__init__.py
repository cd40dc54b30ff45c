"""Would anyone notice? What detectors say of a run's images."""
