"""Camera models as folders, file names and EXIF spell them: what is one, and what contradicts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from bench.suites.jpeg_header import read_camera
from bench.suites.layouts import DRESDEN, LAYOUTS, TREE
from bench.types import CamobenchError
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
_SAID = re.compile(r"(model|cam|camera|phone|smartphone)(\d+|[a-z])")  # Model0, cam-a
_TYPE = re.compile(  # D70, 600D
    r"(?!(?:QF?|ISO|CV|SET|RUN|TEST|FOLD|IMG|DAY)\d)[A-Z]{1,4}[1-9]\d+[A-Z]*|[1-9]\d{1,3}[A-Z]{1,2}"
)
_SETS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_KIND = re.compile(
    r"train(ing)?|val(id(ation)?)?|test(ing)?|set|fold|nat(ural)?|(flat|dark)(fields?|frames?)?s?"
    r"|orig(inals?)?|edit(ed|s)?|raws?|jpe?gs?|pngs?|tiff?|whatsapp|facebook|instagram|twitter"
    r"|(19|20)\d\d(\d{4})?"
)
_READ = 20  # images of a folder in which the camera is looked for


def names_a_model(name: str) -> bool:
    """Whether a folder's name holds a make, a line, a type such as D70, or says that it is one."""
    words = _words(name) | _words(_spaced(name))
    if _SETS & words:
        return False
    return (
        any(word.rstrip("0123456789") in _KNOWN for word in words)
        or _SAID.fullmatch(re.sub(r"[\W_]", "", name.lower())) is not None
        or any(map(_TYPE.fullmatch, re.findall(r"[^\W_]+", name)))
    )


def require_models(root: Path, paths: Sequence[PurePosixPath]) -> None:
    """Refuse a folder that was taken for a tree MODEL/DEVICE and cannot be one.

    People keep sets, kinds, formats and dates so. A folder is taken for a camera model only where
    its name says so, or EXIF or file names of its first photographs agree with it.

    Args:
        root: The folder, for messages.
        paths: Of its images.

    Raises:
        CamobenchError: Names the folders, and what to do.
    """
    within: dict[str, list[PurePosixPath]] = defaultdict(list)
    devices: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        if name := TREE.photo(path):
            within[name.model].append(path)
            devices[name.model].add(name.device)
    strange = sorted(
        name
        for name, found in within.items()
        if not names_a_model(name)
        and not any(_agree(name, _stated(root, p)) for p in found[:_READ])
    )
    kinds = sorted(
        f"{model}/{name}"
        for model, names in devices.items()
        for name in names
        if len(names) > 1 and any(map(_KIND.fullmatch, _words(_spaced(name))))
    )
    if not within:
        wrong = f"no image in {root} lies as {TREE.pattern}, such as {paths[0]}"
    elif strange:
        wrong = f"no camera models, by name or EXIF: {listed(strange)} in {root}"
    elif kinds:
        wrong = f"no devices but kinds of images: {listed(kinds)} in {root}"
    else:
        return
    raise CamobenchError(
        f"{wrong}; order the photographs as {TREE.pattern}, or insist by --layout tree "
        f"(`layout='tree'`; there are {', '.join(LAYOUTS)})"
    )


def _stated(root: Path, path: PurePosixPath) -> str:
    """The camera that an image names in EXIF, or else by a Dresden name of a known make."""
    name = DRESDEN.photo(path)
    try:
        camera = read_camera((root / path).read_bytes())
    except (OSError, SyntaxError, ValueError):  # `scan` tells of what cannot be read
        camera = None
    return camera or (name.model if name and names_a_model(name.model) else "")


def _agree(folder: str, camera: str) -> bool:
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
    """What EXIF or file names say of cameras and the folders do not.

    Args:
        said: Folders' camera models, each with a camera that a photograph states, or nothing.
    """
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


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
