"""What is wrong with the bytes of a photograph, and what its owner does about it."""

from __future__ import annotations


class UnusableError(Exception):
    """An image that cannot be used, without its name; `fault` is what is wrong with it."""

    def __init__(self, fault: str, remedy: str = "replace the file or remove it") -> None:
        super().__init__(f"{fault}; {remedy}")
        self.fault = fault


class DamagedError(UnusableError):
    """An image that is not whole."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"cannot be decoded ({fault})")
        self.fault = fault
