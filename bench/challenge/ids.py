"""The opaque ids of a challenge, and the secret in the store that turns them back into images.

An id is a keyed hash (HMAC-SHA-256, RFC 2104) of what it stands for. Without the key it tells
nothing, sorting by it is a shuffle, and whoever holds the store rebuilds the mapping at any time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict

from bench.contract import ATTACKS
from bench.jobs.scoring.items import Item, asked_of, items_of
from bench.store import Store, digest, read_json, write_sealed
from bench.suites.base import Suite, SuiteCard
from bench.types import CamobenchError, as_json

Audience: TypeAlias = Literal["attacks", "victims"]
CHALLENGE_VERSION: Final = 1
ID_DIGITS = 16
KEY_DIGITS = 12
MANIFEST = "challenge.json"
README = "README.md"
BETWEEN = "__"
"""Between id and target in the name of a file that is sent back."""


class ChallengeImage(NamedTuple):
    """What one id stands for: an image of Set-C, as it is or anonymised.

    Attributes:
        attack: Whose image it is; `None` for the original itself.
    """

    attack: str | None
    item: Item


class Challenge(BaseModel):
    """The secret side of a challenge, as the store keeps it.

    Attributes:
        key: Its public name; says nothing of the images, nor whose they are.
        audience: Who is asked: makers of attacks, or of victims.
        content: What shaped the images beside the suite: attacks by name, with key and digest.
        salt: Hexadecimal, never written outside the store.
    """

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = CHALLENGE_VERSION
    key: str
    audience: Audience
    suite: str
    fingerprint: str
    content: dict[str, dict[str, str]]
    salt: str

    def opaque(self, image_id: str, attack: str | None = None, target: str | None = None) -> str:
        """The id of one image: a letter, so that no spreadsheet takes it for a number, and hex."""
        message = json.dumps([image_id, attack, target]).encode()
        mac = hmac.new(bytes.fromhex(self.salt), message, hashlib.sha256).hexdigest()
        return f"c{mac[:ID_DIGITS]}"

    def images(self, suite: Suite) -> dict[str, ChallengeImage]:
        """Every image that goes out, sorted by id, which is an order that nobody can guess.

        Of a targeted attack it is each image towards every target. The protocol leaves t = s out;
        here the one target that an image lacks would tell its source, and lacking none that it is
        out of distribution.

        Raises:
            CamobenchError: If two images would have one id.
        """
        names, classes = list(suite.manifest("C")["image_id"]), suite.card.classes
        found: dict[str, ChallengeImage] = {}
        for attack in self.content or (None,):
            targeted = is_targeted(attack)
            for item in asked_of(range(len(names)), len(classes), targeted=targeted):
                target = None if item.target is None else classes[item.target]
                opaque = self.opaque(str(names[item.index]), attack, target)
                if opaque in found:
                    raise CamobenchError(
                        f"two images of challenge {self.key} have one id: an `image_id` is in "
                        "Set-C twice; prepare the suite anew"
                    )
                found[opaque] = ChallengeImage(attack, item)
        return dict(sorted(found.items()))

    def scored(self, suite: Suite) -> dict[str, dict[str, Item]]:
        """Ids of the images that the protocol scores, by attack, in the order of a run."""
        rows, classes = suite.manifest("C"), suite.card.classes
        ids = {image: opaque for opaque, image in self.images(suite).items()}
        found = {}
        for attack in self.content:
            items = items_of(range(len(rows)), rows, classes, targeted=is_targeted(attack))
            found[attack] = {ids[ChallengeImage(attack, item)]: item for item in items}
        return found


def open_challenge(
    store: Store, card: SuiteCard, audience: Audience, content: Mapping[str, Any] | None = None
) -> Challenge:
    """The challenge of this suite and content; key and salt are drawn the first time, then kept."""
    shaped = {
        "version": CHALLENGE_VERSION,
        "audience": audience,
        "suite": card.fingerprint,
        "content": as_json(content or {}),
    }
    name = digest(shaped)[:KEY_DIGITS]
    path = store.root / "challenges" / f"{name}.json"
    with store.lock("challenges", name):
        if not path.is_file():
            named = {"suite": card.name, "fingerprint": card.fingerprint}
            # Not the name, by which anyone could try out which attacks were exported.
            drawn = {"key": secrets.token_hex(KEY_DIGITS // 2), "salt": secrets.token_hex(32)}
            write_sealed(path, shaped | named | drawn)
    return read_challenge(path)


def challenge_files(store: Store) -> list[Path]:
    """The secrets of all challenges that the store has exported."""
    return sorted((store.root / "challenges").glob("*.json"))


def require_challenges(store: Store, card: SuiteCard, audience: Audience) -> list[Challenge]:
    """Every challenge of this suite and audience that the store holds the secret of.

    Raises:
        CamobenchError: If there is none.
    """
    every = [read_challenge(path) for path in challenge_files(store)]
    asked = (card.fingerprint, audience)
    found = [one for one in every if (one.fingerprint, one.audience) == asked]
    if not found:
        raise CamobenchError(
            f"store {store.root} holds no challenge of {card.name} for {audience}, so no id can be "
            f"told: give the --store and --suite of `camobench challenge export --for {audience}`"
        )
    return found


def read_challenge(path: Path) -> Challenge:
    """Read one of `challenge_files`.

    Raises:
        CamobenchError: If it is damaged or of another version; says what to do.
    """
    try:
        return Challenge.model_validate(read_json(path))
    except (CamobenchError, ValueError) as error:
        raise CamobenchError(
            f"{path} is damaged or of another version; take it from a copy of the store: it holds "
            "the secret that tells what the ids of its challenge stand for, and no answer can be "
            "scored without it"
        ) from error


def is_targeted(attack: str | None) -> bool:
    """Whether an attack makes an image for each target; the originals, `None`, are of none."""
    return attack is not None and ATTACKS.get(attack).spec.targeted
