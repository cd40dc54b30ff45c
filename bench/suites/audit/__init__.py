"""The audit of a prepared suite: what in its data would make its numbers untrustworthy."""
