"""What was scored under conditions: at less strength, after a JPEG save."""
