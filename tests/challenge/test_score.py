"""From an exported challenge to a row and a column, with images and predictions made outside."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from bench.challenge.export import export_challenge
from bench.challenge.images import check_images_answer
from bench.challenge.predictions import check_predictions_answer
from bench.challenge.score import score_answer
from bench.contract import ATTACKS, VICTIMS
from bench.jobs.scoring import rows as cells
from bench.plan.names.selection import select_attacks
from bench.plan.request import evaluate_run, open_session
from bench.records.load import load_run
from bench.report.verification.folder import verify_folder
from bench.store import Store, write_sealed
from bench.types import SILENT, CamobenchError, WrongUsageError
from tests.challenge.answers import CARD, archive, folder
from tests.plugins import FOG, write
from tests.smoke import VICTIMS as SMOKE_VICTIMS
from tests.smoke import Watcher, request

KEYS = ["attack", "attack_key"]


def answer(arena, place, name, out, *, attacks=("jpeg",), victims=("img-resnet12",), **options):
    asked = request(attacks=attacks, victims=victims)
    return score_answer(
        place, name, asked, arena.store, out, described=options.pop("described", {}), **options
    )


def rows(out, table, **chosen):
    frame = pd.read_parquet(out / f"{table}.parquet")
    for column, value in chosen.items():
        frame = frame[frame[column] == value]
    return frame.reset_index(drop=True)


def entry(out, name):
    return json.loads((out / f"entry-{name}.json").read_text())


def fails(out):
    return [one for one in verify_folder(out) if one.verdict in ("fail", "warn")]


def test_images_of_a_control_made_outside_give_the_row_that_run_gives(arena, tmp_path):
    place, out = archive(tmp_path / "answer.zip", arena.jpeg().items()), tmp_path / "out"
    described = {"paper": "Pillow 2026", "licence": "MIT"}
    outcome = answer(arena, place, "sent-jpeg", out, described=described, victims=SMOKE_VICTIMS)
    assert outcome.run
    assert outcome.coverage.whole
    for table in ("predictions", "distortion"):
        sent, run = rows(out, table, attack="sent-jpeg"), rows(out, table, attack="jpeg")
        assert len(sent) == len(run) > 0
        pd.testing.assert_frame_equal(sent.drop(columns=KEYS), run.drop(columns=KEYS), rtol=0)
    attack = entry(out, "sent-jpeg")["attack"]
    assert (attack["paper"], attack["licence"], attack["targeted"]) == ("Pillow 2026", "MIT", False)
    assert attack["coverage"] == {"scored": 8, "wanted": 8}
    assert fails(out) == []
    assert "sent-jpeg" not in ATTACKS
    watcher = Watcher()  # again: nothing is computed
    answer(arena, place, "sent-jpeg", out, victims=SMOKE_VICTIMS, progress=watcher)
    assert not [label for label in watcher.started if label.startswith("scoring")]


def test_images_of_a_generator_give_its_row_and_part_of_them_a_partial_one(
    arena, tmp_path, monkeypatch
):
    monkeypatch.setattr(cells, "SHARD_IMAGES", 2)
    files = arena.generated()
    whole, out = folder(tmp_path / "whole", files.items()), tmp_path / "out"
    answer(arena, whole, "sent", out, attacks=("cgan-img",))
    reference = {}
    for table in ("predictions", "distortion"):
        sent, run = rows(out, table, attack="sent"), rows(out, table, attack="cgan-img")
        pd.testing.assert_frame_equal(sent.drop(columns=KEYS), run.drop(columns=KEYS), rtol=1e-5)
        assert (sent["source"] != sent["target"]).all()  # t = s was sent, and is not scored
        reference[table] = sent

    challenge, names = arena.challenge("attacks"), arena.suite.manifest("C")["image_id"]
    first, second, third = (challenge.opaque(n) for n in names[:3])
    gone = [n for n in files if n.startswith((first, second))] + [f"{third}__{CARD.classes[0]}.png"]
    part = folder(tmp_path / "part", [(n, data) for n, data in files.items() if n not in gone])
    out = tmp_path / "part-out"
    outcome = answer(arena, part, "sent", out, attacks=("cgan-img",))
    assert outcome.run
    partial = {kind: len(found) for kind, found in outcome.findings.of("partial").items()}
    assert partial == {"image missing": 2, "target missing": 1}
    for table, expected in reference.items():
        sent = rows(out, table, attack="sent")
        merged = expected.merge(sent[["image_id", "target"]].drop_duplicates())
        assert len(sent) == len(merged) < len(expected)
        columns = [name for name in sent if name not in KEYS]
        pd.testing.assert_frame_equal(sent[columns], merged[columns], rtol=1e-5)
        assert set(sent["attack_key"]).isdisjoint(expected["attack_key"])
    (mine,) = [attack for attack in load_run(out).attacks if attack.name == "sent"]
    assert mine.partial == outcome.coverage
    assert mine.partial.scored == len(rows(out, "distortion", attack="sent"))
    assert fails(out) == []
    assert "sent (partial)" in (out / "table2.md").read_text()


def test_a_file_that_changes_after_it_was_checked_stops_the_scoring(arena, tmp_path):
    files = dict(list(arena.jpeg().items())[:4])  # not the answer of another test, which is kept
    place, asked = folder(tmp_path / "answer", files.items()), request(attacks=("jpeg",))
    with check_images_answer(place, asked, arena.store, SILENT) as checked:
        first, second = list(files)[:2]
        (place / first).write_bytes(files[second])
        spec = checked.entry("changing", arena.store).spec
        with pytest.raises(CamobenchError, match=f"{first} has changed since it was checked"):
            checked.keep(open_session(asked, arena.store), spec)


def test_files_that_are_refused_forbid_scoring_unless_they_are_left_out(arena, tmp_path):
    files, out = arena.jpeg(), tmp_path / "out"
    first = next(iter(files))
    place = folder(tmp_path / "answer", (files | {first: files[first][:90]}).items())
    assert answer(arena, place, "broken", out).refused
    assert not answer(arena, place, "broken", out, without_bad=True, dry_run=True).refused
    assert not out.exists()
    assert answer(arena, place, "broken", out, without_bad=True).run
    assert entry(out, "broken")["attack"]["coverage"] == {"scored": 7, "wanted": 8}


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_cannot_be_scored_is_refused_by_a_dry_run_too(arena, tmp_path, dry_run):
    out = tmp_path / "out"
    empty = folder(tmp_path / "empty", [("holiday.png", b"x")])
    with pytest.raises(CamobenchError, match="nothing that is scored was answered"):
        answer(arena, empty, "none", out, dry_run=dry_run)
    with pytest.raises(CamobenchError, match="no victim to score with; name some with --victims"):
        answer(arena, arena.photographs / "images", "none", out, victims=(), dry_run=dry_run)
    with pytest.raises(WrongUsageError, match="--label: 'jpeg' is the name of another attack"):
        answer(arena, empty, "mine", out, described={"label": "jpeg"}, dry_run=dry_run)
    other = Store(tmp_path / "other")
    with pytest.raises(CamobenchError, match="holds no challenge of simcam-smoke-v2 for attacks"):
        score_answer(empty, "x", request(), other, out, described={}, dry_run=dry_run)
    assert not out.exists()


def test_predictions_of_a_victim_give_the_column_that_run_gives(arena, tmp_path):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    arena.classified().to_csv(path, index=False)
    described = {"front_end": "img", "backbone": "resnet12"}  # the name of a family: not of it
    outcome = answer(arena, path, "sent-net", out, described=described)
    assert outcome.run
    keys = ["victim", "victim_key"]
    sent, run = (rows(out, "predictions", victim=v) for v in ("sent-net", "img-resnet12"))
    assert set(sent["attack"]) == {"cgan-img", "jpeg", "identity"}
    assert list(sent["predicted"]) == list(run["predicted"])
    pd.testing.assert_frame_equal(sent.drop(columns=keys), run.drop(columns=keys), rtol=1e-5)
    clean = pd.read_csv(out / "clean_accuracy.csv", index_col="victim")["accuracy_percent"]
    assert clean["sent-net"] == clean["img-resnet12"]
    assert "Clean accuracy of sent-net:" in (out / "column-sent-net.md").read_text()
    assert {one.name: one.family for one in load_run(out).victims}["sent-net"] == "sent-net"
    assert fails(out) == []
    assert "sent-net" not in VICTIMS


def test_labels_alone_and_of_all_images(arena, tmp_path):
    path, out, scored = tmp_path / "answer.parquet", tmp_path / "out", arena.scored()
    said, wanted = arena.classified()[["image", "predicted"]], len(scored)
    assert wanted == 8 + 8 + (6 * 2 + 2 * 3) < len(said)
    said[~said["image"].isin(scored[:3])].to_parquet(path)
    refused = answer(arena, path, "labels", out, victims=())
    assert refused.findings.of("error") == {"image missing": sorted(scored[:3])}
    assert refused.refused
    assert not out.exists()
    said.to_parquet(path)
    answer(arena, path, "labels", out, victims=())
    frame = rows(out, "predictions", victim="labels")
    assert len(frame) == wanted
    assert frame[["p_source", "p_target", "p_predicted"]].isna().all(axis=None)
    (victim,) = load_run(out).victims
    assert (victim.labels_only, victim.elsewhere) == (True, True)
    assert fails(out) == []


def test_what_is_said_of_images_that_are_not_scored_changes_nothing(arena, tmp_path):
    path, digests = tmp_path / "answer.csv", []
    said = arena.classified()[["image", "predicted"]]
    scored = said["image"].isin(arena.scored())
    for some, label in [(~scored, one) for one in CARD.classes[:2]] + [(scored, CARD.classes[0])]:
        said.loc[some, "predicted"] = label
        said.to_csv(path, index=False)
        asked = request(victims=())
        with check_predictions_answer(path, asked, arena.store, SILENT) as checked:
            digests.append(checked.entry("x", arena.store).spec.predictions_sha256)
    assert digests[0] == digests[1] != digests[2]
    said.loc[0, "predicted"] = "simcam-1"
    said.to_csv(path, index=False)
    outcome = answer(arena, path, "wrong", tmp_path / "out", victims=())
    assert outcome.refused
    (examples,) = outcome.findings.of("error").values()
    assert examples[0].endswith("simcam-1")


@pytest.mark.parametrize("dry_run", [True, False])
def test_predictions_on_other_networks_are_refused(arena, tmp_path, dry_run):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    arena.classified().to_csv(path, index=False)
    store = Store(shutil.copytree(arena.store.root, tmp_path / "store"))
    (secret,) = [c for c in (store.root / "challenges").iterdir() if "cgan" in c.read_text()]
    record = json.loads(secret.read_text())
    del record["sha256"]
    record["content"]["cgan-img"]["digest"] = "0" * 64
    message = r"exported with other networks .* of .*cgan-img"
    for seed in (1, 0):
        asked = replace(request(victims=()), seed=seed)
        with pytest.raises(CamobenchError, match=message):
            score_answer(path, "x", asked, store, out, described={}, dry_run=dry_run)
        write_sealed(secret, record)


@pytest.mark.usefixtures("own_registries")
def test_a_plug_in_of_a_challenge_is_to_be_named_again(smoke_copy, tmp_path):
    select_attacks(f"{write(tmp_path / 'mine.py', FOG)}:Fog")
    store, pictures, path = smoke_copy.store, tmp_path / "pictures", tmp_path / "answer.csv"
    asked = request(attacks=("fog",), victims=())
    export_challenge(asked, store, pictures, for_victims=True)
    ids = [one.stem for one in (pictures / "images").iterdir()]
    pd.DataFrame({"image": ids, "predicted": CARD.classes[0]}).to_csv(path, index=False)
    fog = ATTACKS.get("fog")
    ATTACKS.forget(["fog"])

    def dry_run():
        asked = request(attacks=(), victims=())
        return score_answer(path, "net", asked, store, tmp_path / "o", described={}, dry_run=True)

    with pytest.raises(CamobenchError, match="images of fog, not known here: name the plug-in"):
        dry_run()
    ATTACKS.add(fog)
    assert not dry_run().refused


def test_a_run_beside_answers_is_what_it_was(arena, smoke, tmp_path):
    out = evaluate_run(request(), arena.store, tmp_path / "out").directory
    for name in ("predictions", "distortion"):
        one, other = (pd.read_parquet(place / f"{name}.parquet") for place in (out, smoke.out))
        pd.testing.assert_frame_equal(one, other)
