"""From the bytes of a photograph to 8-bit RGB, or a refusal that says why: one file a format.

Only 8-bit RGB passes, and nothing is ever converted: not depth, palette, transparency, colour space
or profile, and no orientation is applied. `formats` opens what passes.
"""

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
