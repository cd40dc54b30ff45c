"""Networks that both sides are made of."""
