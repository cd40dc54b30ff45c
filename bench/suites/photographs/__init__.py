"""Real photographs: read a folder, divide it into sets, cut tiles."""
