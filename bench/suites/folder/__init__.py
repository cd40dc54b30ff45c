"""A suite of a folder of photographs, one folder a camera model."""
