"""Single photographs of any size: anonymised, attributed."""
