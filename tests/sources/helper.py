"""A module that stands for one of a user's."""

K = 0.9
