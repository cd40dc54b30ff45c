"""Checks what is there again: plug-ins against the contract, rows by running them."""
