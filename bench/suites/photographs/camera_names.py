"""Camera models as folders, file names and EXIF spell them: what is one, and what contradicts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

from bench.wording import listed

_MAKES_TOLD = """
agfaphoto apple asus blackberry canon casio dji epson fujifilm google gopro hasselblad hewlett honor
htc huawei kodak konica kyocera leica lenovo lg meizu microsoft minolta motorola nikon nokia nothing
olympus oneplus oppo panasonic pentax praktica realme ricoh rollei samsung sanyo sigma sony vivo
wiko xiaomi zte
"""
_LINES_TOLD = """
coolpix cybershot dimage dmc dsc easyshare eos exilim finepix galaxy ipad iphone ixus lumix mavic
mju optio photosmart pixel powershot redmi simcam xperia
"""
_SHORT = {"agfa": "agfaphoto", "fuji": "fujifilm", "hp": "hewlett"}
_MAKES = frozenset(_MAKES_TOLD.split())
_KNOWN = _MAKES | _SHORT.keys() | frozenset(_LINES_TOLD.split())


def names_a_make(name: str) -> bool:
    """Whether a name holds a maker of cameras or one of their lines."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return bool((_words(name) | _words(spaced)) & _KNOWN)


def agree(folder: str, camera: str) -> bool:
    """Whether a folder's name is that of the camera its photographs name, or a part of it."""
    return bool(_words(folder)) and _words(folder) <= _words(camera)


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Each name with the most common one among those that are spelled alike.

    Case, Unicode form, and blanks, underscores or dashes make no other model or device.
    """
    alike: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        alike[re.sub(r"[\s_-]+", " ", plain).strip()][name] += 1
    return {
        name: unicodedata.normalize("NFC", min(counts, key=lambda other: (-counts[other], other)))
        for counts in alike.values()
        for name in counts
    }


def contradictions(said: Iterable[tuple[str, str]]) -> list[str]:
    """What EXIF or file names say of cameras, or nothing, and the folders' models do not."""
    pairs = sorted({pair for pair in said if pair[1]})
    stated = {model: [camera for other, camera in pairs if other == model] for model, _ in pairs}
    folders = {camera: [model for model, other in pairs if other == camera] for _, camera in pairs}
    found = [f"{m} holds photographs of {listed(c)}" for m, c in stated.items() if len(c) > 1]
    found += [f"photographs of {c} are in {listed(m)}" for c, m in folders.items() if len(m) > 1]
    return found + [
        f"the photographs of {model} are of {camera}"
        for model, camera in pairs
        if len(stated[model]) == len(folders[camera]) == 1 and _contradict(model, camera, stated)
    ]


def _contradict(model: str, camera: str, models: Iterable[str]) -> bool:
    """Whether they name different makes, or the camera is another of the models."""
    here, there = _words(model), _words(camera)
    makes = [{_SHORT.get(word, word) for word in words} & _MAKES for words in (here, there)]
    if all(makes) and not makes[0] & makes[1]:
        return True
    return not here <= there and any(_words(other) <= there for other in models if other != model)


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).casefold()))
