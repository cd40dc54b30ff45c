"""What is wrong with the bytes of a photograph, and what its owner does about it."""

from __future__ import annotations


class UnusableError(Exception):
    """An image that cannot be used, without its name.

    Attributes:
        fault: What is wrong with it.
        remedy: What its owner does about it.
    """

    def __init__(self, fault: str, remedy: str = "replace the file or remove it") -> None:
        super().__init__(f"{fault}; {remedy}")
        self.fault, self.remedy = fault, remedy


class DamagedError(UnusableError):
    """An image that is not whole.

    Attributes:
        how: It is damaged.
    """

    def __init__(self, how: str) -> None:
        super().__init__(f"cannot be decoded ({how})")
        self.how = how
