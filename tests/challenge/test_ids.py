import json
import re
from itertools import pairwise

import pandas as pd
import pytest

from bench.challenge.ids import challenge_files, open_challenge, require_challenges
from bench.store import Store, write_sealed
from bench.types import CamobenchError
from tests.smoke import ToySource, flip, toy_suite
from tests.toys import CLASSES

CARD = ToySource().card
CONTENT = {name: {"key": "k", "digest": "d"} for name in ("mislgan", "jpeg")}


@pytest.fixture
def suite(tmp_path):
    return toy_suite(tmp_path / "store", sets=("C",), per_class=25)


def test_ids_are_no_numbers_and_sorting_by_them_shuffles(suite, store):
    images = open_challenge(store, CARD, "attacks").images(suite)
    assert all(re.fullmatch(r"c[0-9a-f]{16}", one) for one in images)
    order = [image.item.index for image in images.values()]
    assert sorted(order) == list(range(100))
    assert 30 < sum(one < two for one, two in pairwise(order)) < 70


def test_the_store_keeps_the_secret_and_another_store_gives_other_ids(suite, store, tmp_path):
    first = open_challenge(store, CARD, "attacks")
    assert open_challenge(store, CARD, "attacks") == first
    assert len(bytes.fromhex(first.salt)) == 32
    other = open_challenge(Store(tmp_path / "other"), CARD, "attacks")
    assert other.key != first.key  # else it would tell which attacks there are images of
    assert not first.images(suite).keys() & other.images(suite).keys()


def test_makers_of_victims_get_every_target_of_a_targeted_attack_so_none_tells_a_source(
    suite, store
):
    challenge = open_challenge(store, CARD, "victims", CONTENT)
    targets = {}
    for attack, item in challenge.images(suite).values():
        targets.setdefault((item.index, attack), set()).add(item.target)
    assert len(targets) == 2 * 100
    for (_, attack), found in targets.items():
        assert found == ({0, 1, 2} if attack == "mislgan" else {None})


def test_only_what_the_protocol_scores_is_scored(suite, store):
    challenge = open_challenge(store, CARD, "victims", CONTENT)
    scored, rows = challenge.scored(suite)["mislgan"], suite.manifest("C")
    assert len(scored) == 75 * 2 + 25 * 3
    for one, item in scored.items():
        target = CLASSES[item.target]
        assert one == challenge.opaque(rows["image_id"][item.index], "mislgan", target)
        assert target != rows["model"][item.index]


def test_an_image_twice_is_refused(suite, store, monkeypatch):
    rows = suite.manifest("C")
    monkeypatch.setattr(type(suite), "manifest", lambda *_: pd.concat([rows, rows[:1]]))
    with pytest.raises(CamobenchError, match="have one id"):
        open_challenge(store, CARD, "attacks").images(suite)


def test_challenges_are_told_apart_by_audience_content_and_suite(store):
    mine = open_challenge(store, CARD, "attacks")
    one = open_challenge(store, CARD, "victims", {"jpeg": {"key": "1"}})
    two = open_challenge(store, CARD, "victims", {"jpeg": {"key": "2"}})
    open_challenge(store, ToySource("0" * 64).card, "attacks")
    assert len({made.opaque("x") for made in (mine, one, two)}) == 3
    assert require_challenges(store, CARD, "attacks") == [mine]
    assert sorted(c.key for c in require_challenges(store, CARD, "victims")) == sorted(
        [one.key, two.key]
    )


@pytest.mark.parametrize("edit", [{"salt": None}, {"version": 99}, None])
def test_a_damaged_secret_is_named(store, edit):
    open_challenge(store, CARD, "attacks")
    (path,) = challenge_files(store)
    record = json.loads(path.read_text())
    if edit is None:
        flip(path)
    else:
        write_sealed(path, {k: v for k, v in (record | edit).items() if k != "sha256"})
    with pytest.raises(CamobenchError, match="is damaged or of another version; take it from a"):
        require_challenges(store, CARD, "attacks")
