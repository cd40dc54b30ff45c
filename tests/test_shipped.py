"""What ships is what the code of today would make; stale weights and verdicts must not pass."""

import json
import shutil
from importlib.resources import files

import pytest

from bench.jobs.networks import shipped_folder, shipped_root
from bench.plan.graph import plan
from bench.plan.names.selection import select_victims
from bench.recipes import get_recipe
from bench.store import Store, open_checkpoint
from bench.suites.audit.record import AUDIT_VERSION, audit, kept_audit
from bench.suites.base import open_suite, prepare
from bench.suites.catalogue import load_suite
from tests.plan.test_graph import SHIPPED_ATTACKS

AUDITS = files("bench") / "assets" / "audits"
LIMIT_BYTES = 30 * 2**20


@pytest.fixture(scope="module")
def graph():
    return plan(
        load_suite("simcam-mini-v2").card,
        get_recipe("mini"),
        attacks=SHIPPED_ATTACKS,
        victims=select_victims("all"),
    )


def test_every_network_of_the_demo_ships_under_the_key_of_todays_code(graph):
    missing = [
        job.label
        for job in graph.jobs.values()
        if open_checkpoint(shipped_folder(job.kind, job.name, job.key)) is None
    ]
    assert not missing, "stale or absent: train them anew and export them, or undo the change"


def test_nothing_else_ships(graph):
    wanted = {shipped_folder(job.kind, job.name, job.key) for job in graph.jobs.values()}
    assert {card.parent for card in shipped_root().rglob("card.json")} == wanted


def test_cards_match_their_weights_and_say_what_they_are(graph):
    for job in graph.jobs.values():
        checkpoint = open_checkpoint(shipped_folder(job.kind, job.name, job.key))
        checkpoint.verify()
        card = checkpoint.card
        assert (card["kind"], card["name"], card["key"]) == (job.kind, job.name, job.key)
        assert card["suite_fingerprint"] == graph.suite.fingerprint
        assert (card["recipe"], card["seed"]) == ("mini", job.seed)
        assert any(name.startswith("validation_") for name in card["figures"])


def test_they_are_small():
    size = sum(path.stat().st_size for path in shipped_root().rglob("*") if path.is_file())
    assert size <= LIMIT_BYTES


def test_the_audit_that_ships_is_what_the_sets_get_that_are_made_here(readme_store, tmp_path):
    made = prepare(load_suite("simcam-mini-v2"), Store(readme_store), ("A", "B", "C"), workers=2)
    ignore = shutil.ignore_patterns("audit.json", ".*")  # other tests may audit it meanwhile
    suite = open_suite(shutil.copytree(made.folder, tmp_path / "suite", ignore=ignore))
    kept = json.loads((AUDITS / "simcam-mini-v2.json").read_text())
    assert (kept["version"], kept["fingerprint"]) == (AUDIT_VERSION, suite.card.fingerprint)
    shipped = kept_audit(suite)
    if shipped is None:
        pytest.skip("other packages than those that made the shipped audit save other JPEG files")
    assert shipped["verdict"] == audit(suite).verdict
    (suite.folder / "A" / "manifest.parquet").write_bytes(
        (suite.folder / "B" / "manifest.parquet").read_bytes()
    )
    assert kept_audit(suite) is None
