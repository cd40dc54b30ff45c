"""What other tools answered to a challenge, read from the store as rows and as an attack."""
