"""The paper's own protocol on a local copy of the Dresden image database."""
