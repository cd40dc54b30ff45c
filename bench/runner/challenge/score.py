"""Scores images that answer a challenge: a row of the matrix, and nobody's code was run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.contract import ATTACKS
from bench.jobs.items import Item, items_of
from bench.records.participants import Coverage
from bench.runner.api import RESULTS, Request, Session, evaluate_request, open_session
from bench.runner.challenge.ids import Asked, Audience, Challenge, challenges_of
from bench.runner.challenge.images import SentImages
from bench.runner.challenge.intake import Intake, check_images, limits
from bench.runner.challenge.looking import Sent
from bench.runner.challenge.members import Members
from bench.runner.challenge.sent import keep_images, row_of
from bench.runner.challenge.specs import SentImagesSpec
from bench.store import Store, digest
from bench.store.outputs import require_own
from bench.suites.base import Suite, SuiteCard
from bench.types import CamobenchError, Progress, Silent


@dataclass(frozen=True, kw_only=True)
class CheckedImages:
    """Images that came back, checked and still open.

    Attributes:
        intake: What there is, and what is wrong with it.
        files: The files that the protocol scores, by image and target.
        coverage: How many of them there are.
    """

    challenge: Challenge
    suite: Suite
    members: Members
    intake: Intake
    files: dict[Item, Sent]
    coverage: Coverage


def require_challenges(store: Store, card: SuiteCard, audience: Audience) -> list[Challenge]:
    """The challenges of a suite that the store holds.

    Raises:
        CamobenchError: If there is none.
    """
    found = challenges_of(store, card, audience)
    if not found:
        raise CamobenchError(
            f"store {store.root} holds no challenge of {card.name} for {audience}, so no id can be "
            f"told: give the --store and --suite of `camobench challenge export --for {audience}`"
        )
    return found


@contextmanager
def checked_images(
    place: Path, request: Request, store: Store, progress: Progress | None = None
) -> Iterator[CheckedImages]:
    """Check a folder or zip of images and keep it open.

    Raises:
        CamobenchError: If the store holds no challenge of the suite, or no file is named as an
            answer.
        WrongUsageError: If it is neither a folder nor a zip.
    """
    progress = progress or Silent()
    (challenge,) = require_challenges(store, request.source.card, "attacks")
    suite = open_session(request, store).prepare(("C",), progress)
    manifest, classes = suite.manifest("C"), suite.card.classes
    names, images = manifest["image_id"], suite.images("C")
    mapping = challenge.mapping(Asked(image_id=name) for name in names)
    originals = dict(zip(names, images, strict=True))
    with Members(place, limits(len(names), len(classes), suite.card.image_px)) as members:
        intake = check_images(members, mapping, originals, classes, progress)
        index = {name: position for position, name in enumerate(names)}
        sent = {
            Item(
                index=index[mapping[opaque].image_id],
                target=None if target is None else classes.index(target),
            ): one
            for (opaque, target), one in intake.files.items()
        }
        wanted = items_of(range(len(names)), manifest, classes, targeted=intake.targeted)
        files = {item: sent[item] for item in wanted if item in sent}
        yield CheckedImages(
            challenge=challenge,
            suite=suite,
            members=members,
            intake=intake,
            files=files,
            coverage=Coverage(scored=len(files), wanted=len(wanted)),
        )


def images_spec(checked: CheckedImages, name: str, **described: Any) -> SentImagesSpec:
    """The spec of a row of images.

    Args:
        checked: The images.
        name: Of the row.
        described: Further fields, such as `paper` and `licence`.

    Raises:
        ValueError: If the name is not kebab-case.
    """
    names, classes = checked.suite.manifest("C")["image_id"], checked.suite.card.classes
    told = sorted(
        (names[item.index], "" if item.target is None else classes[item.target], sent.sha256)
        for item, sent in checked.files.items()
    )
    return SentImagesSpec(
        name=name,
        targeted=checked.intake.targeted,
        files_sha256=digest(told),
        challenge=checked.challenge.key,
        coverage=checked.coverage,
        copies=checked.intake.copies,
        **described,
    )


def score_images(
    checked: CheckedImages,
    spec: SentImagesSpec,
    request: Request,
    store: Store,
    out: Path,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
) -> None:
    """Keep row and images in the store, and write it and the request's attacks as `run` does.

    Args:
        checked: The images.
        spec: From `images_spec`.
        request: What stands beside the row, and on which victims.
        store: That the challenge was exported from.
        out: Where results go.
        progress: Told how far it is.
        dry_run: Refuse what cannot be scored, and score nothing.

    Raises:
        CamobenchError: If nothing can be scored, a file changes meanwhile, or `out` holds what
            something else made.
        ValueError: If an attack has that name.
    """
    if not checked.files:
        raise CamobenchError(
            f"{checked.members.place} holds no image that could be scored: name files as the "
            "README of the challenge says"
        )
    with ATTACKS.during(row_of(spec, checked.suite, store)):
        request = replace(request, attacks=(spec.name, *request.attacks))
        session = require_scorable(request, store)
        require_own(out, RESULTS, session.request.made_of(out))
        if not dry_run:
            source = SentImages(spec, members=checked.members, files=checked.files)
            keep_images(source, spec, checked.suite, store, progress)
            evaluate_request(request, store, out, progress)


def require_scorable(request: Request, store: Store) -> Session:
    """Open a request, and refuse what would fail once it is under way.

    Raises:
        CamobenchError: If it names no victim, or one that does not fit the suite.
        UnknownNameError: If an attack or a victim is not registered.
    """
    if not request.victims:
        raise CamobenchError("no victim to score with; name some with --victims, or `all`")
    return open_session(request, store)
