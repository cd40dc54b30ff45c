"""What the store holds: are data sets whole, and can rows and kept images be read?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.challenge.ids import challenge_files, read_challenge
from bench.jobs.scoring.kept import KeptImages
from bench.jobs.scoring.rows import read_record, read_rows
from bench.plan.answers import read_answers, record_files
from bench.store import Store
from bench.suites.base import open_suite
from bench.types import SETS, CamobenchError, Progress, SetName
from bench.verdicts import Verdict
from bench.wording import listed, plural

MOST_NAMED = 3


def check_sets(store: Store, progress: Progress) -> Verdict:
    """Every set is as its checksums say, and has as many images as its manifest has rows."""
    folders = [card.parent for card in sorted(store.root.glob("data/*/suite.json"))]
    there = [(folder, name) for folder in folders for name in SETS if (folder / name).is_dir()]
    opened = [partial(_open_set, folder, name) for folder, name in there]
    what = f"{plural(len(there), 'set')}, as their checksums say"
    return _judge("data sets", what, opened, progress)


def check_rows(store: Store, progress: Progress) -> Verdict:
    """Every Parquet file of the matrix opens, and is as its checksum says."""
    tables = sorted(store.root.glob("predictions/*/*/*.parquet"))
    tables = [path for path in tables if path.parents[1].name != "damaged"]
    rows = {path.parents[1] for path in tables}
    opened: list[Callable[[], Any]] = [partial(read_rows, [path]) for path in tables]
    opened += [partial(read_record, path) for path in tables]
    what = f"{plural(len(tables), 'table')} of {plural(len(rows), 'row')}, as their checksums say"
    return _judge("rows", what, opened, progress)


def check_images(store: Store, progress: Progress) -> Verdict:
    """Every file of kept images is as its checksum says, and none that was sent is missing."""
    records = record_files(store)
    files = sorted(store.root.glob("images/*/*.parquet"))
    sent: set[Path] = set()
    opened: list[Callable[[], Any]] = [partial(_verify_sent, store, one, sent) for one in records]
    opened += [partial(_verify_kept, path, sent) for path in files]
    what = (
        f"{plural(len(files), 'file')}, {plural(len(records), 'sent row')}, as their checksums say"
    )
    return _judge("kept images", what, opened, progress)


def check_challenges(store: Store, progress: Progress) -> Verdict:
    """The secret of every challenge that was exported can be read."""
    files = challenge_files(store)
    opened = [partial(read_challenge, path) for path in files]
    return _judge("challenges", f"{plural(len(files), 'secret')}, all whole", opened, progress)


def _verify_sent(store: Store, record: Path, sent: set[Path]) -> None:
    rows = [one.row(store) for one in read_answers(record)]
    every: list[Any] = [row.builder(row.spec) for row in rows]
    sent.update(path for images in every for path in images.files)
    for images in every:
        for path in images.files:
            images.open(path)


def _verify_kept(path: Path, sent: set[Path]) -> None:
    if path not in sent:  # those have been looked at
        KeptImages(path, targeted=True)  # what they were made for is not asked


def _open_set(folder: Path, name: SetName) -> None:
    suite = open_suite(folder)
    if not suite.has(name):
        return
    suite.verify(name)
    if len(suite.manifest(name)) != len(suite.images(name)):
        place = folder / name
        raise CamobenchError(f"{place} lacks images; remove it, and the same command makes it anew")


def _judge(
    check: str, what: str, opened: Sequence[Callable[[], Any]], progress: Progress
) -> Verdict:
    wrong = []
    progress.start(f"opening {check}", len(opened))
    for call in opened:
        try:
            call()
        except (CamobenchError, OSError) as error:
            wrong.append(str(error))
        progress.advance()
    progress.finish()
    if not wrong:
        return Verdict(check, "ok", what)
    # The command that makes things anew is not this one.
    remedy = wrong[0].partition("; ")[2].replace("the same command makes", "`run` makes")
    return Verdict(
        check, "fail", listed([text.split("; ")[0] for text in wrong], MOST_NAMED), remedy
    )
