"""BibTeX of the benchmark and of the papers that attacks and victims name."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources


def bibtex(papers: Mapping[str, str]) -> str:
    """An entry for the benchmark, and one for each paper, under the names that it stands behind.

    Args:
        papers: What specs state, such as "Wang & He 2021", by name; perhaps nothing.
    """
    known = _references()
    behind: dict[str, list[str]] = {"andrews-2020": ["the protocol"]}
    unknown = []
    for name, paper in papers.items():
        plain = _plain(paper)
        keys = [key for key in known if re.search(_pattern(key), plain)]
        for key in keys:
            behind.setdefault(key, []).append(name)
        if not keys:
            unknown.append(_misc(name, paper))
    named = [f"% {', '.join(behind[key])}\n{text}" for key, text in known.items() if key in behind]
    return "\n\n".join([_OWN, *named, *unknown]) + "\n"


_OWN = """@misc{camobench,
  title = {camobench: a benchmark of camera-model anonymisers and attribution classifiers},
  year = {2026}
}"""


@cache
def _references() -> dict[str, str]:
    """Entries by key: the first author's name and the year."""
    text = (resources.files("bench") / "assets" / "references.bib").read_text("utf-8")
    return {part.partition("{")[2].partition(",")[0]: part for part in text.strip().split("\n\n")}


def _pattern(key: str) -> str:
    """The author, others, and a list of years with this one."""
    author, year = key.split("-")
    return rf"\b{author}\b[^;\d]*(\d{{4}}, )*{year}\b"


def _plain(text: str) -> str:
    """In lower-case letters without accents."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _misc(name: str, paper: str) -> str:
    if not re.search(r"\b\d{4}\b", paper):
        return f"% {name}: {paper or 'no paper stated'}"
    title = re.sub(r"([&%$#_{}\\~^])", r"\\\1", paper)
    return f"% {name}\n@misc{{{name},\n  title = {{{title}}}\n}}"
