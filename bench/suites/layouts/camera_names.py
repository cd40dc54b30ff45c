"""Camera models as folders, file names and EXIF spell them: what is one model, what contradicts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.suites.layouts.naming import Photo
from bench.wording import listed

_MAKES = frozenset(
    {
        *("agfaphoto", "apple", "asus", "blackberry", "canon", "casio", "dji", "epson", "fujifilm"),
        *("google", "gopro", "hasselblad", "hewlett", "honor", "htc", "huawei", "kodak", "konica"),
        *("kyocera", "leica", "lenovo", "lg", "meizu", "microsoft", "minolta", "motorola", "nikon"),
        *("nokia", "nothing", "olympus", "oneplus", "oppo", "panasonic", "pentax", "praktica"),
        *("realme", "ricoh", "rollei", "samsung", "sanyo", "sigma", "sony", "vivo", "wiko"),
        *("xiaomi", "zte"),
    }
)
_SHORT = {"agfa": "agfaphoto", "fuji": "fujifilm", "hp": "hewlett"}
_LINES = frozenset(
    {
        *("coolpix", "cybershot", "dimage", "dmc", "dsc", "easyshare", "eos", "exilim", "finepix"),
        *("galaxy", "ipad", "iphone", "ixus", "lumix", "mavic", "mju", "optio", "photosmart"),
        *("pixel", "powershot", "redmi", "simcam", "xperia"),
    }
)


def names_a_make(name: str) -> bool:
    """Whether a name holds a maker of cameras or one of their lines."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = _words(name) | _words(spaced)
    return bool(words & (_MAKES | _SHORT.keys() | _LINES))


def agree(folder: str, camera: str) -> bool:
    """Whether a folder's name is that of the camera its photographs name, or a part of it."""
    return bool(_words(folder)) and _words(folder) <= _words(camera)


def one_spelling(photos: Sequence[Photo]) -> tuple[list[Photo], list[str]]:
    """Give each camera model and device the spelling that most of its photographs have.

    Case, Unicode form, and blanks, underscores or dashes make no other model.

    Returns:
        The photographs in their order, and for people which models were spelled otherwise.
    """
    models = _spellings(photo.model for photo in photos)
    devices = _spellings(
        f"{_plain(p.model)}/{p.device.removeprefix(f'{p.model}/')}" for p in photos
    )
    respelled = []
    for photo in photos:
        device = photo.device.removeprefix(f"{photo.model}/")
        device = devices[f"{_plain(photo.model)}/{device}"].partition("/")[2]
        model = models[photo.model]
        respelled.append(replace(photo, model=model, device=f"{model}/{device}"))
    ways: dict[str, list[str]] = defaultdict(list)
    for name, spelling in models.items():
        ways[spelling].append(name)
    return respelled, [
        f"one camera model spelled in {len(names)} ways: {listed(sorted(names))}"
        for names in ways.values()
        if len(names) > 1
    ]


def contradictions(photos: Iterable[Photo]) -> list[str]:
    """What EXIF or file names say of the camera and the folders do not."""
    stated: dict[str, set[str]] = defaultdict(set)
    folders: dict[str, set[str]] = defaultdict(set)
    for photo in photos:
        if photo.stated:
            stated[photo.model].add(photo.stated)
            folders[photo.stated].add(photo.model)
    found = [
        f"{model} holds photographs of {listed(sorted(cameras))}"
        for model, cameras in stated.items()
        if len(cameras) > 1
    ]
    found += [
        f"photographs of {camera} are in {listed(sorted(models))}"
        for camera, models in folders.items()
        if len(models) > 1
    ]
    for model, cameras in stated.items():
        for camera in cameras:
            if len(cameras) == 1 == len(folders[camera]) and _contradict(model, camera, stated):
                found.append(f"the photographs of {model} are of {camera}")
    return found


def _contradict(model: str, camera: str, models: Iterable[str]) -> bool:
    """Whether they name different makes, or the camera is another of the models."""
    here, there = _words(model), _words(camera)
    makes = [{_SHORT.get(word, word) for word in words} & _MAKES for words in (here, there)]
    if all(makes) and not makes[0] & makes[1]:
        return True
    return not here <= there and any(_words(other) <= there for other in models if other != model)


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).casefold()))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def _spellings(names: Iterable[str]) -> dict[str, str]:
    """Each name with the most common one among those that are spelled alike."""
    alike: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        alike[_plain(name)][name] += 1
    return {
        name: unicodedata.normalize("NFC", min(counts, key=lambda other: (-counts[other], other)))
        for counts in alike.values()
        for name in counts
    }
