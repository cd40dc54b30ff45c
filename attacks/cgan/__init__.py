"""The augmented conditional GAN of Andrews et al. (2020)."""
