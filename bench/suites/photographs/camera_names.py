"""Camera models as folders, file names and EXIF spell them: what is one, and what contradicts.

Whether the folders of a tree can be MODEL/DEVICE: people keep sets, kinds, formats and dates so. A
folder is taken for a camera model only where its name says so, or EXIF or file names of its first
photographs agree with it, and where no folders of one name that counts nothing lie below several.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from PIL.Image import DecompressionBombError

from bench.suites.photographs.jpeg_header import read_camera
from bench.suites.photographs.layouts import DRESDEN, LAYOUTS, TREE, Layout
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
_KINDS_TOLD = """
train training trn val valid validation test testing tst eval evaluation holdout set sets split
fold subset part query gallery probe reference public private
nat natural flat flats field fields flatfield flatfields dark darkframe darkframes bias frame
frames image images img imgs photo photos photograph photographs picture pictures pic pics dcim
raw raws scene scenes indoor outdoor day night video videos data dataset database misc other
others unknown all new old backup tmp thumbnail thumbnails
orig original originals native edited edit edits processed unprocessed manipulated manip altered
unaltered unalt forged forgery forgeries fake fakes real pristine authentic tampered spliced
splicing synthetic generated gan clean noisy adversarial anonymised anonymized cropped crop
crops patch patches tile tiles resized scaled rotated full small large input output source
target before after positive negative compressed uncompressed whatsapp facebook instagram
twitter telegram social screenshot screenshots
jpg jpeg jpegs png pngs tif tiff bmp heic heif dng webp nef cr2 arw lossless lossy high low
medium hq lq quality iso qf january february march april may june july august september october
november december copy version jan feb mar apr jun jul aug sep oct nov dec spring summer
autumn winter
"""
_KINDS = frozenset(_KINDS_TOLD.split())  # sets, kinds, treatments, formats, qualities, dates
_MEASURE = re.compile(
    r"(q|qf|iso|jpeg|jpg|crop|day|week|wk|sigma)?\d+((x\d+)|px|mp|p|kb?|mb|mm|cm|bits?)?"
)
_COUNTER = re.compile(
    r"(device|dev|d|camera|cam|c|phone|p|unit|u|body|copy|sample|s|no|nr|id|instance)?\d{1,4}"
    r"|(device|dev|camera|cam|phone|unit|body|copy)?[a-z]"
)
_DATE = re.compile(r"(19|20)\d\d(\d{4})?")
_YEAR = re.compile(r"[a-z]*(19|20)\d\d")
_DCF = re.compile(r"[1-9]\d\d(?=\d*[A-Z_])[A-Z0-9_]{5}")  # a camera's own folders: 100CANON
_TYPE = re.compile(r"(?P<stem>[a-z]{1,4})[1-9]\d+[a-z]*|\d{2,4}(?!th)[a-z]{1,2}")  # D70, 600D
_SAID = re.compile(r"(model|cam|camera|phone|smartphone)(\d+|[a-z])")  # Model0, cam-a
_SETS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_NOISE = re.compile(r"(?i)sigma[-_ ]?\d[\d.]*")  # its strength, not the maker's
_NAMES_TOO = {"fold", "real"}  # Galaxy Z Fold, FinePix REAL 3D
_COUNTED = {"run", "cv", "exp", "step", "user", "subj", "trip", "lot", "v", "ver", "k", "no", "id"}
_VERSION = re.compile(r"(?P<shot>.*\d)(\s*\(\d+\)|[-_ .]+(?P<word>[A-Za-z]+))")
_READ = 20  # images of a folder in which the camera is looked for


def agree(folder: str, camera: str) -> bool:
    """Whether a folder's name is that of the camera its photographs name, or a part of it."""
    return bool(_folded_words(folder)) and _folded_words(folder) <= _folded_words(camera)


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
    here, there = _folded_words(model), _folded_words(camera)
    makes = [{_SHORT.get(word, word) for word in words} & _MAKES for words in (here, there)]
    if all(makes) and not makes[0] & makes[1]:
        return True
    return not here <= there and any(
        _folded_words(other) <= there for other in models if other != model
    )


def _folded_words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).casefold()))


def names_a_model(name: str) -> bool:
    """Whether a name holds a make, a line, a type such as D70, or says that it is a model.

    A name that tells a set, a kind or a treatment as well is none: `train_Canon`.
    """
    words = _split_words(name)
    if (
        _SETS & {*words}
        or (_KINDS - _NAMES_TOO) & {*_split_words(name.lower())}
        or _NOISE.fullmatch(name)
    ):
        return False
    said = _SAID.fullmatch("".join(words)) is not None
    makes = (_folded_words(name) | _folded_words(" ".join(words))) & _KNOWN
    return said or bool(makes) or any(map(_is_type, words))


def plain_shot(shot: str) -> str:
    """A shot's name without what tells its versions: `IMG_1 (2)`, `IMG_1_edited`, `IMG_1-copy`."""
    found = _VERSION.fullmatch(shot)
    if found is None or (found["word"] and not _describes([found["word"].lower()], numbers=False)):
        return shot
    return plain_shot(found["shot"])


def require_models(root: Path, paths: Sequence[PurePosixPath], layout: Layout = TREE) -> None:
    """Refuse a folder that was taken for a tree, or for files named so, and cannot be one.

    Raises:
        CamobenchError: Names the folders, and what would fit.
    """
    within: dict[str, list[PurePosixPath]] = defaultdict(list)
    tree: dict[str, Counter[str]] = defaultdict(Counter)
    for path in paths:
        if name := layout.photo(path):
            within[name.model].append(path)
            tree[name.model][name.device] += 1
    strangers = sorted(name for name in tree if not _is_model(root, name, within[name], layout))
    if layout is not TREE:
        wrong = "camera models, by name or EXIF"
        if not strangers:
            wrong = "devices of models but counters, dates or types"
            strangers = sorted(model for model in tree if not _counts_devices(tree[model]))
        if strangers:
            raise CamobenchError(
                f"no {wrong}: {listed(strangers)}, by what names such as {within[strangers[0]][0]} "
                f"in {root} are read as ({layout.pattern}); order the photographs as "
                f"{TREE.pattern}, or insist by --layout {layout.name} (`layout='{layout.name}'`)"
            )
        return
    if not tree:
        wrong = f"no image in {root} lies as {TREE.pattern}, such as {paths[0]}"
    elif strangers:
        wrong = f"no camera models, by name or EXIF: {listed(strangers)} in {root}"
    elif parts := sorted(_parts_of_a_model(tree)):
        wrong = f"no devices but kinds of images: {listed(parts)} in {root}"
    elif shared := sorted(_shared(tree)):
        models = listed(sorted(model for model in tree if shared[0] in tree[model]))
        wrong = f"one device below several camera models in {root}: {shared[0]} in {models}"
    else:
        return
    named = ", ".join(name for name in LAYOUTS if name != TREE.name)
    raise CamobenchError(
        f"{wrong}; order the photographs as {TREE.pattern}, say how they are named by --layout "
        f"({named}), or insist by --layout tree (`layout='tree'`)"
    )


def _counts_devices(photographs: Mapping[str, int]) -> bool:
    """Whether numbers may be those of devices, from how many photographs each has.

    They start at 0 or 1, and fewer than a device's photographs. A counter of shots makes more, a
    date or a type such as iPhone 7 starts higher.
    """
    number = len(photographs)
    starts = min(map(int, photographs)) <= 1
    return number == 1 or (starts and (number == 2 or number**2 <= sum(photographs.values())))


def _is_model(root: Path, name: str, paths: Sequence[PurePosixPath], layout: Layout) -> bool:
    """Whether it is a camera model by its name, or by what its first images name."""
    first = paths[:_READ]
    return names_a_model(name) or any(agree(name, _stated(root, p, layout)) for p in first)


def _stated(root: Path, path: PurePosixPath, layout: Layout) -> str:
    """The camera that an image names in EXIF, or else by a Dresden name of a known make."""
    name = None if layout is DRESDEN else DRESDEN.photo(path)
    try:
        camera, _ = read_camera((root / path).read_bytes())
    except (OSError, SyntaxError, ValueError, DecompressionBombError):
        camera = None  # `scan` tells of what cannot be read
    return camera or (name.model if name and names_a_model(name.model) else "")


def _is_type(word: str) -> bool:
    found = _TYPE.fullmatch(word)
    if found is None or _MEASURE.fullmatch(word) or _YEAR.fullmatch(word):
        return False
    return found["stem"] not in _KINDS | _COUNTED


def _split_words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", spaced.lower())


def _describes(words: Sequence[str], *, numbers: bool) -> bool:
    """Whether all words tell sets, kinds or formats; bare numbers alone only where `numbers`."""
    plain = [word for word in words if word in _KINDS or word.rstrip("0123456789") in _KINDS]
    plain += [word for word in words if len(word) == 1 and plain]
    measures = [word for word in words if _MEASURE.fullmatch(word) and word not in plain]
    if not numbers and not plain and not any(map(_DATE.fullmatch, words)):
        measures = [word for word in measures if len(word) >= 4 or not word.isdecimal()]
    return bool(words) and len(plain) + len(measures) >= len(words)


def _parts_of_a_model(tree: Mapping[str, Iterable[str]]) -> set[str]:
    """MODEL/DEVICE folders of models below which lie several kinds, or a kind beside devices.

    What a camera numbers by itself, such as 100CANON, is such a kind.
    """
    found = set()
    for model, devices in tree.items():
        kinds = {name for name in devices if _describes(_split_words(name), numbers=False)}
        kinds |= {name for name in devices if _DCF.fullmatch(name)}
        if len(kinds) > 1 or any(re.match("flat|dark", name.lower()) for name in kinds):
            found |= {f"{model}/{name}" for name in kinds}
    return found


def _shared(tree: Mapping[str, Iterable[str]]) -> set[str]:
    """Devices below several models whose name is no mere number or kind."""
    owners: dict[str, int] = defaultdict(int)
    for devices in tree.values():
        for name in devices:
            words = _split_words(name)
            if not _COUNTER.fullmatch("".join(words)) and not _describes(words, numbers=True):
                owners[name] += 1
    return {name for name, count in owners.items() if count > 1}
