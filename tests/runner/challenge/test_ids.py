import re
from itertools import pairwise

import pytest

from bench.runner.challenge.ids import (
    Asked,
    Challenge,
    challenge_file,
    challenges_of,
    open_challenge,
)
from bench.store import Store
from bench.store.checksums import read_record, write_record
from bench.types import CamobenchError
from tests.smoke import ToySource, flip

CARD = ToySource().card
IMAGES = [Asked(image_id=f"photo-{number}") for number in range(200)]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def made(salt="ab" * 32):
    fields = {"suite": "s", "fingerprint": "f", "content": {}}
    return Challenge(key="k", audience="attacks", salt=salt, **fields)


def test_an_id_is_a_letter_and_hexadecimal_so_no_spreadsheet_takes_it_for_a_number():
    ids = list(made().mapping(IMAGES))
    assert all(re.fullmatch(r"c[0-9a-f]{16}", one) for one in ids)
    assert len(set(ids)) == len(IMAGES)


def test_the_same_salt_gives_the_same_ids_and_another_salt_none_of_them():
    one, again, other = made(), made(), made(salt="cd" * 32)
    assert one.mapping(IMAGES) == again.mapping(IMAGES)
    assert not one.mapping(IMAGES).keys() & other.mapping(IMAGES).keys()


def test_attack_and_target_are_part_of_what_an_id_stands_for():
    image = "photo-1"
    asked = [Asked(image_id=image), Asked(image_id=image, attack="jpeg")]
    asked += [Asked(image_id=image, attack="jpeg", target=name) for name in ("a", "b")]
    assert len(made().mapping(asked)) == 4


def test_sorting_by_id_shuffles():
    order = [int(asked.image_id.split("-")[1]) for asked in made().mapping(IMAGES).values()]
    assert sorted(order) == list(range(len(IMAGES)))
    rising = sum(one < two for one, two in pairwise(order))
    assert 60 < rising < 140


def test_an_image_twice_is_refused():
    with pytest.raises(CamobenchError, match="have one id"):
        made().mapping([IMAGES[0], IMAGES[0]])


def test_the_store_keeps_the_secret(store):
    first = open_challenge(store, CARD, "attacks")
    assert open_challenge(store, CARD, "attacks") == first
    assert len(bytes.fromhex(first.salt)) == 32
    elsewhere = open_challenge(Store(store.root.with_name("other")), CARD, "attacks")
    assert (elsewhere.key, elsewhere.salt != first.salt) == (first.key, True)


def test_challenges_are_told_apart_by_audience_content_and_suite(store):
    mine = open_challenge(store, CARD, "attacks")
    one = open_challenge(store, CARD, "victims", {"jpeg": "1"})
    two = open_challenge(store, CARD, "victims", {"jpeg": "2"})
    open_challenge(store, ToySource("0" * 64).card, "attacks")
    assert len({mine.key, one.key, two.key}) == 3
    assert challenges_of(store, CARD, "attacks") == [mine]
    assert sorted(c.key for c in challenges_of(store, CARD, "victims")) == sorted(
        [one.key, two.key]
    )


def test_a_damaged_secret_is_named(store):
    path = challenge_file(store, open_challenge(store, CARD, "attacks").key)
    record = read_record(path, path)
    write_record(path, {k: v for k, v in record.items() if k != "salt"})
    with pytest.raises(CamobenchError, match="lacks salt; take it from a copy of the store"):
        challenges_of(store, CARD, "attacks")
    write_record(path, record | {"version": 99})
    with pytest.raises(CamobenchError, match="a challenge of version 99"):
        challenges_of(store, CARD, "attacks")
    flip(path)
    with pytest.raises(
        CamobenchError, match=r"is damaged; take it from a copy .* no answer can be"
    ):
        challenges_of(store, CARD, "attacks")
