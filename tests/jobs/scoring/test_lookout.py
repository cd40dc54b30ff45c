"""What a run says of outputs that are not what they seem: in entries, notes and cards."""

import pytest
import torch

from bench.jobs.scoring.lookout import Lookout
from bench.plan.names.selection import select_attacks, select_victims
from bench.plan.request import evaluate_run
from bench.report.cards import build_cards
from bench.report.tables.paper import build_table
from bench.report.verification.folder import verify_folder
from bench.store import read_json
from bench.verdicts import failed
from tests.plugins import MADE, write
from tests.smoke import request
from tests.toys import pixels

pytestmark = pytest.mark.usefixtures("own_registries")

ODD = """
    def scored(behaviour):
        return lambda images: behaviour(9 * images.mean((2, 3)))


    VICTIMS = [
        victim("plain", scored(lambda logits: logits)),
        victim("softmax", scored(lambda logits: logits.softmax(1))),
        victim("log-softmax", scored(lambda logits: logits.log_softmax(1))),
        victim("normed", scored(lambda logits: 30 * (logits - logits.mean(0)))),
    ]
    ATTACKS = [
        attack("fog", lambda images: 0.9 * images + 0.1),
        attack("white", lambda images: images * 255 + 1),
        attack("signed", lambda images: 2 * images - 1),
        attack("bgr", lambda images: images.flip(1)),
        attack("mirror", lambda images: images.flip(3)),
        attack("normed", lambda images: 0.5 + (images - images.mean()) / images.std() / 4),
    ]
"""
EXPECTED = {
    ("attack white", "constant"),
    ("attack signed", "range"),
    ("attack bgr", "channels"),
    ("attack mirror", "flipped"),
    ("attack normed", "company"),
    ("victim softmax", "probabilities"),
    ("victim log-softmax", "log-probabilities"),
    ("victim normed", "company"),
}


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_a_victim_is_looked_at_whatever_the_batch(batch):
    logits = 9 * torch.randn((20, 3), generator=torch.Generator().manual_seed(0))
    kinds = {"softmax": logits.softmax(1), "log": logits.log_softmax(1), "plain": logits}
    kinds["late"] = torch.cat([logits[:1].softmax(1), logits[1:]])  # one image does not tell
    lookout = Lookout()
    lookout.end({name: rows.split(batch) for name, rows in kinds.items()})
    found = {name: [one.kind for one in some] for name, some in lookout.found.items()}
    expected = {"softmax": ["probabilities"], "log": ["log-probabilities"], "plain": [], "late": []}
    assert found == {"": [], **expected}


def test_random_numbers_that_are_seeded_anew_in_every_call_are_company():
    def noisy(images):
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
        return (images + 20 * noise).clamp(0, 255).to(torch.uint8)

    originals, lookout = pixels(4, 64, 64, seed=1), Lookout()
    lookout.see_images(originals, noisy(originals), lambda: noisy(originals[-1:]))
    assert [one.kind for one in lookout.found[""]] == ["company"]


def test_a_run_says_what_looks_odd_and_says_it_again_from_the_store(smoke_copy, tmp_path):
    path = write(tmp_path / "odd.py", MADE + ODD)
    attacks = (*select_attacks(f"{path}:ATTACKS"), "cgan-img", "jpeg", "gaussian-blur")
    asked = request(
        attacks=attacks,
        victims=(*select_victims(f"{path}:VICTIMS"), "img-resnet12", "wdf-resnet12"),
        batch=4,
    )
    for name in ("first", "again"):
        run = evaluate_run(asked, smoke_copy.store, tmp_path / name)
        out = run.directory
        assert set(run.suspicions) == EXPECTED  # and nothing of honest ones
        notes = build_table(run, "in").notes
        for who, _ in EXPECTED:
            assert sum(note.startswith(f"Suspicious: {who}:") for note in notes) == 1
        told = read_json(out / "entry-bgr.json")["suspicions"]
        assert {"victim": "", "kind": "channels"}.items() <= told[0].items()
        assert not failed(verify_folder(out))
    ece = {card.victim.name: card.clean.ece_percent for card in build_cards(run)}
    assert ece["softmax"] is None
    assert None not in (ece["plain"], ece["log-softmax"])
