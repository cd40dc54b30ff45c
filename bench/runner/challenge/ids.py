"""The opaque ids of a challenge, and the secret in the store that turns them back into images.

An id is a keyed hash (HMAC-SHA-256, RFC 2104) of what it stands for. Without the key it tells
nothing, sorting by it is a shuffle, and whoever holds the store rebuilds the mapping at any time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.store import Store, digest, read_json
from bench.store.checksums import is_record, write_record
from bench.suites.base import SuiteCard
from bench.types import CamobenchError, Json

Audience = Literal["attacks", "victims"]
CHALLENGE_VERSION = 1
ID_DIGITS = 16
KEY_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one id stands for: an image of Set-C, as it is or anonymised.

    Attributes:
        image_id: The suite's own.
        attack: Whose image it is; `None` for the original itself.
        target: Of a targeted attack.
    """

    image_id: str
    attack: str | None = None
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """The secret side of a challenge, as the store keeps it.

    Attributes:
        key: Its public name; says nothing of the images.
        audience: Who is asked: makers of attacks, or of victims.
        content: What shaped the images beside the suite: attacks by name with their digests.
        salt: Hexadecimal, never written outside the store.
    """

    key: str
    audience: Audience
    suite: str
    fingerprint: str
    content: Mapping[str, Json]
    salt: str

    def opaque(self, asked: Asked) -> str:
        """The id of one image: a letter, so that no spreadsheet takes it for a number, and hex."""
        message = json.dumps([asked.image_id, asked.attack, asked.target]).encode()
        mac = hmac.new(bytes.fromhex(self.salt), message, hashlib.sha256).hexdigest()
        return f"c{mac[:ID_DIGITS]}"

    def mapping(self, wanted: Iterable[Asked]) -> dict[str, Asked]:
        """What each id stands for, sorted by id, which is an order that nobody can guess.

        Raises:
            CamobenchError: If two images would have one id.
        """
        listed: Sequence[Asked] = list(wanted)
        found = {self.opaque(asked): asked for asked in listed}
        if len(found) < len(listed):
            raise CamobenchError(
                f"two images of challenge {self.key} have one id: an `image_id` is in Set-C twice; "
                "prepare the suite anew"
            )
        return dict(sorted(found.items()))


def challenge_file(store: Store, key: str) -> Path:
    """Where the secret of a challenge lives."""
    return store.root / "challenges" / f"{key}.json"


def open_challenge(
    store: Store, card: SuiteCard, audience: Audience, content: Mapping[str, Json] | None = None
) -> Challenge:
    """The challenge of this suite and content; its salt is drawn the first time, then kept."""
    content = dict(content or {})
    key = digest(
        {
            "version": CHALLENGE_VERSION,
            "audience": audience,
            "suite": card.fingerprint,
            "content": content,
        }
    )[:KEY_DIGITS]
    path = challenge_file(store, key)
    with store.lock("challenges", key):
        if not path.is_file():
            write_record(
                path,
                {
                    "version": CHALLENGE_VERSION,
                    "key": key,
                    "audience": audience,
                    "suite": card.name,
                    "fingerprint": card.fingerprint,
                    "content": content,
                    "salt": secrets.token_hex(32),
                },
            )
    return read_challenge(path)


def challenges_of(store: Store, card: SuiteCard, audience: Audience) -> list[Challenge]:
    """Every challenge of this suite and audience that the store holds the secret of."""
    found = (read_challenge(path) for path in challenge_files(store))
    return [c for c in found if (c.fingerprint, c.audience) == (card.fingerprint, audience)]


def challenge_files(store: Store) -> list[Path]:
    """The secrets of all challenges that the store has exported."""
    return sorted((store.root / "challenges").glob("*.json"))


def read_challenge(path: Path) -> Challenge:
    """Read one of `challenge_files`.

    Raises:
        CamobenchError: If it is damaged or of another version; says what to do.
    """
    if not is_record(path):
        raise CamobenchError(
            f"{path} is damaged; take it from a copy of the store: it holds the secret that tells "
            "what the ids of its challenge stand for, and no answer can be scored without it"
        )
    record = read_json(path)
    if record.get("version") != CHALLENGE_VERSION:
        raise CamobenchError(
            f"{path} is a challenge of version {record.get('version')}, this one reads "
            f"{CHALLENGE_VERSION}: score it with the version of camobench that exported it"
        )
    fields = ("key", "audience", "suite", "fingerprint", "content", "salt")
    missing = [name for name in fields if name not in record]
    if missing:
        raise CamobenchError(f"{path} lacks {', '.join(missing)}; take it from a copy of the store")
    return Challenge(**{name: record[name] for name in fields})
