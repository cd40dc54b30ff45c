"""Names from strangers as names of files."""

import hashlib
import re
from collections.abc import Sequence


def slug(name: str) -> str:
    """A file name of lower-case letters, digits, dots and dashes, marked where that loses some.

    Two names never give one file, whatever is in them.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "unnamed"
    if plain == name and len(plain) <= 80:
        return plain
    return f"{plain[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def slugs(names: Sequence[str]) -> list[str]:
    """One a name; a name that is there again gets a number."""
    found: list[str] = []
    for name in map(slug, names):
        again = sum(name == other.partition("--")[0] for other in found)
        found.append(f"{name}--{again + 1}" if again else name)
    return found
