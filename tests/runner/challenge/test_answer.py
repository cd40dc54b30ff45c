"""From an exported challenge to a row and a column, with images and predictions made outside."""

import io
import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.checks import to_unit
from bench.contract import ATTACKS, VICTIMS
from bench.jobs import rows as cells
from bench.jobs.networks import Networks, Shelf
from bench.jobs.precision import FP32
from bench.recipes import get_recipe
from bench.records.load import load_run
from bench.report.verification.folder import verify_folder
from bench.runner.api import evaluate_request
from bench.runner.challenge.answer import score_answer
from bench.runner.challenge.asked import scored_of_victims
from bench.runner.challenge.column import checked_predictions, predictions_spec
from bench.runner.challenge.export import export_challenge
from bench.runner.challenge.ids import Asked, challenges_of
from bench.runner.challenge.score import checked_images, images_spec, score_images
from bench.runner.graph import plan
from bench.runner.selection import select_attacks
from bench.store import Store
from bench.store.checksums import read_record, write_record
from bench.suites.base import open_suite
from bench.types import CamobenchError, WrongUsageError
from tests.plugins import FOG, write
from tests.runner.challenge.answers import archive, folder, png
from tests.smoke import VICTIMS as SMOKE_VICTIMS
from tests.smoke import Watcher, request

CPU = torch.device("cpu")
CARD = request().source.card
KEYS = ["attack", "attack_key"]


class Arena:
    """A store that both challenges were exported from, and what their receivers hold."""

    def __init__(self, root, smoke):
        self.root, self.store = root, Store(shutil.copytree(smoke.store.root, root / "store"))
        self.photographs, self.pictures = root / "photographs", root / "pictures"
        asked = request(victims=())
        export_challenge(asked, self.store, self.photographs, for_victims=False)
        export_challenge(asked, self.store, self.pictures, for_victims=True)

    def received(self, which):
        """Pixels by id, as whoever got the folder reads them."""
        found = {}
        for path in sorted((which / "images").iterdir()):
            with Image.open(path) as image:
                found[path.stem] = np.asarray(image).transpose(2, 0, 1)
        return found

    def networks(self):
        graph = plan(
            CARD, get_recipe("smoke"), attacks=("cgan-img",), victims=("img-resnet12",), seed=0
        )
        return Networks(graph, Shelf(store=self.store, shipped=False), CPU, precision=FP32)

    def jpeg(self):
        """What Pillow makes of every photograph at quality 85."""
        files = {}
        for one, pixels in self.received(self.photographs).items():
            stream = io.BytesIO()
            image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
            image.save(stream, "JPEG", quality=85)
            with Image.open(stream) as decoded:
                files[f"{one}.png"] = png(np.asarray(decoded))
        return files

    def generated(self):
        """What a generator makes of every photograph for every target."""
        attack, files = self.networks().attack("cgan-img"), {}
        for one, pixels in self.received(self.photographs).items():
            images = torch.from_numpy(pixels.copy()).expand(len(CARD.classes), -1, -1, -1)
            with torch.inference_mode():
                made = attack(images, torch.arange(len(CARD.classes)))
            for name, image in zip(CARD.classes, made.numpy(), strict=True):
                files[f"{one}__{name}.png"] = png(image)
        return files

    def scored(self):
        """Ids of those pictures that the protocol scores."""
        (challenge,) = challenges_of(self.store, CARD, "victims")
        suite = open_suite(self.store.data_folder(CARD.name, CARD.fingerprint))
        return [
            challenge.opaque(asked)
            for attack in challenge.content
            for asked in scored_of_victims(suite, attack)
        ]

    def classified(self):
        """What a classifier says of every picture."""
        received, victim = self.received(self.pictures), self.networks().victim("img-resnet12")
        images = to_unit(torch.from_numpy(np.stack(list(received.values()))))
        with torch.inference_mode():
            logits = victim.logits(images.contiguous(memory_format=torch.channels_last))
        values = logits.softmax(1).numpy()
        frame = pd.DataFrame(
            {"image": list(received), "predicted": [CARD.classes[i] for i in values.argmax(1)]}
        )
        return frame.assign(**dict(zip(CARD.classes, values.T, strict=True)))


@pytest.fixture(scope="module")
def arena(smoke, tmp_path_factory):
    return Arena(tmp_path_factory.mktemp("arena"), smoke)


def answer(arena, place, name, out, *, attacks=("jpeg",), victims=SMOKE_VICTIMS, **options):
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


# images


def test_images_of_a_control_made_outside_give_the_row_that_run_gives(arena, tmp_path):
    place = archive(tmp_path / "answer.zip", arena.jpeg().items())
    out = tmp_path / "out"
    described = {"paper": "Pillow 2026", "licence": "MIT"}
    outcome = answer(arena, place, "sent-jpeg", out, described=described)
    assert (outcome.scored, outcome.refused, outcome.coverage.whole) == (True, False, True)
    for table in ("predictions", "distortion"):
        sent, run = rows(out, table, attack="sent-jpeg"), rows(out, table, attack="jpeg")
        assert len(sent) == len(run) > 0
        pd.testing.assert_frame_equal(sent.drop(columns=KEYS), run.drop(columns=KEYS), rtol=0)
    attack = entry(out, "sent-jpeg")["attack"]
    assert (attack["paper"], attack["licence"], attack["targeted"]) == ("Pillow 2026", "MIT", False)
    assert attack["coverage"] == {"scored": 8, "wanted": 8}
    assert attack["copies"] == 0
    assert fails(out) == []
    assert "sent-jpeg" not in ATTACKS
    assert (out / "report.html").is_file()


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

    challenge = challenges_of(arena.store, CARD, "attacks")[0]
    names = open_suite(arena.store.data_folder(CARD.name, CARD.fingerprint)).manifest("C")
    first, third = (challenge.opaque(Asked(image_id=names["image_id"][i])) for i in (0, 2))
    second = challenge.opaque(Asked(image_id=names["image_id"][1]))
    gone = [n for n in files if n.startswith((first, second))] + [f"{third}__{CARD.classes[0]}.png"]
    part = folder(tmp_path / "part", [(n, data) for n, data in files.items() if n not in gone])
    out = tmp_path / "part-out"
    outcome = answer(arena, part, "sent", out, attacks=("cgan-img",))
    assert (outcome.scored, outcome.coverage.whole) == (True, False)
    assert {kind.name: len(n) for kind, n in outcome.problems.of("partial").items()} == {
        "image missing": 2,
        "target missing": 1,
    }
    for table, expected in reference.items():
        sent = rows(out, table, attack="sent")
        merged = expected.merge(sent[["image_id", "target"]].drop_duplicates())
        assert len(sent) == len(merged) < len(expected)
        columns = [name for name in sent if name not in KEYS]
        pd.testing.assert_frame_equal(sent[columns], merged[columns], rtol=1e-5)
        assert set(sent["attack_key"]).isdisjoint(expected["attack_key"])
    run = load_run(out)
    (mine,) = [attack for attack in run.attacks if attack.name == "sent"]
    assert mine.partial == outcome.coverage
    assert mine.partial.scored == len(rows(out, "distortion", attack="sent"))
    assert fails(out) == []
    assert "sent (partial)" in (out / "table2.md").read_text()


def test_scoring_again_computes_nothing(arena, tmp_path):
    place, out = folder(tmp_path / "answer", arena.jpeg().items()), tmp_path / "out"
    answer(arena, place, "again", out)
    watcher = Watcher()
    answer(arena, place, "again", out, progress=watcher)
    assert not [label for label in watcher.started if label.startswith("scoring")]


def test_a_file_that_changes_after_it_was_checked_stops_the_scoring(arena, tmp_path):
    files = dict(list(arena.jpeg().items())[:4])  # not the answer of another test, which is kept
    place = folder(tmp_path / "answer", files.items())
    asked = request(attacks=("jpeg",))
    with checked_images(place, asked, arena.store) as checked:
        first, second = list(files)[:2]
        (place / first).write_bytes(files[second])
        spec = images_spec(checked, "changing")
        with pytest.raises(CamobenchError, match=f"{first} has changed since it was checked"):
            score_images(checked, spec, asked, arena.store, tmp_path / "out")
    assert "changing" not in ATTACKS


def test_files_that_are_refused_forbid_scoring_unless_they_are_left_out(arena, tmp_path):
    files = arena.jpeg()
    first = next(iter(files))
    place = folder(tmp_path / "answer", (files | {first: files[first][:90]}).items())
    out = tmp_path / "out"
    outcome = answer(arena, place, "broken", out)
    assert (outcome.refused, outcome.scored) == (True, False)
    assert not out.exists()
    outcome = answer(arena, place, "broken", out, without_bad=True)
    assert (outcome.refused, outcome.scored) == (False, True)
    assert str(outcome.coverage) == "7 of 8 images"
    assert entry(out, "broken")["attack"]["coverage"] == {"scored": 7, "wanted": 8}


def test_a_dry_run_scores_nothing(arena, tmp_path):
    place = folder(tmp_path / "answer", arena.jpeg().items())
    outcome = answer(arena, place, "dry", tmp_path / "out", dry_run=True)
    assert (outcome.scored, outcome.refused) == (False, False)
    assert outcome.summary == "8 of 8 files of an untargeted method"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_folder_without_one_answer(arena, tmp_path, dry_run):
    place = folder(tmp_path / "answer", [("holiday.png", b"x")])
    with pytest.raises(CamobenchError, match="holds no image that could be scored"):
        answer(arena, place, "none", tmp_path / "out", dry_run=dry_run)


@pytest.mark.parametrize("dry_run", [True, False])
def test_images_without_a_victim_to_score_them(arena, tmp_path, dry_run):
    place = folder(tmp_path / "answer", arena.jpeg().items())
    with pytest.raises(CamobenchError, match="no victim to score with; name some with --victims"):
        answer(arena, place, "none", tmp_path / "out", victims=(), dry_run=dry_run)


def test_a_label_that_is_another_attack(arena, tmp_path):
    described = {"label": "jpeg"}
    with pytest.raises(WrongUsageError, match="--label: 'jpeg' is the name of another attack"):
        answer(arena, arena.photographs, "mine", tmp_path / "out", described=described)


@pytest.mark.parametrize(
    ("name", "message"),
    [("jpeg", "there is attack 'jpeg' already"), ("My Attack", "must be kebab-case")],
)
def test_a_name_that_cannot_be(arena, tmp_path, name, message):
    with pytest.raises(WrongUsageError, match=message):
        answer(arena, arena.photographs, name, tmp_path / "out")


def test_a_store_that_exported_nothing(smoke, tmp_path):
    other = Store(tmp_path / "other")
    with pytest.raises(CamobenchError, match="holds no challenge of simcam-smoke-v2 for attacks"):
        score_answer(tmp_path, "x", request(), other, tmp_path / "out", described={})


# predictions


def test_predictions_of_a_victim_give_the_column_that_run_gives(arena, tmp_path):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    arena.classified().to_csv(path, index=False)
    described = {"front_end": "img", "backbone": "resnet12"}
    victims = ("img-resnet12",)
    outcome = answer(arena, path, "sent-net", out, victims=victims, described=described)
    assert (outcome.scored, outcome.coverage.whole) == (True, True)
    keys = ["victim", "victim_key"]
    sent, run = (rows(out, "predictions", victim=v) for v in ("sent-net", *victims))
    assert set(sent["attack"]) == {"cgan-img", "jpeg", "identity"}
    assert list(sent["predicted"]) == list(run["predicted"])
    pd.testing.assert_frame_equal(sent.drop(columns=keys), run.drop(columns=keys), rtol=1e-5)
    clean = pd.read_csv(out / "clean_accuracy.csv", index_col="victim")["accuracy_percent"]
    assert clean["sent-net"] == clean["img-resnet12"]
    assert "Clean accuracy of sent-net:" in (out / "column-sent-net.md").read_text()
    cards = json.loads((out / "victims.json").read_text())["victims"]
    assert [card["name"] for card in cards] == ["img-resnet12"]
    assert fails(out) == []
    assert "sent-net" not in VICTIMS


def test_labels_alone_and_not_of_all_images(arena, tmp_path):
    path, out = tmp_path / "answer.parquet", tmp_path / "out"
    said = arena.classified()[["image", "predicted"]]
    scored = arena.scored()
    wanted = len(scored)
    assert wanted == 8 + 8 + (6 * 2 + 2 * 3) < len(said)
    said[~said["image"].isin(scored[:3])].to_parquet(path)
    outcome = answer(arena, path, "labels", out, victims=())
    assert str(outcome.coverage) == f"{wanted - 3} of {wanted} images"
    frame = rows(out, "predictions", victim="labels")
    assert len(frame) == wanted - 3
    assert frame[["p_source", "p_target", "p_predicted"]].isna().all(axis=None)
    (victim,) = load_run(out).victims
    assert (victim.partial, victim.labels_only, victim.elsewhere) == (outcome.coverage, True, True)
    assert "labels (partial)" in (out / "column-labels.md").read_text()
    assert fails(out) == []


def test_what_is_said_of_images_that_are_not_scored_changes_nothing(arena, tmp_path):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    said = arena.classified()[["image", "predicted"]]
    unscored = ~said["image"].isin(arena.scored())
    digests = []
    for label in CARD.classes[:2]:
        said.loc[unscored, "predicted"] = label
        said.to_csv(path, index=False)
        checked = checked_predictions(path, request(victims=()), arena.store)
        digests.append(predictions_spec(checked, "x").predictions_sha256)
    assert digests[0] == digests[1]
    said[~unscored].to_csv(path, index=False)
    outcome = answer(arena, path, "scored-alone", out, victims=())
    assert (outcome.scored, outcome.coverage.whole) == (True, True)
    assert fails(out) == []


def test_a_column_of_predictions_enters_no_family_of_the_protocol(arena, tmp_path):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    arena.classified().to_csv(path, index=False)
    answer(arena, path, "claims", out, victims=(), described={"front_end": "img"})
    (victim,) = json.loads((out / "entry-jpeg.json").read_text())["victims"]
    assert (victim["front_end"], victim["family"]) == ("img", "claims")
    assert load_run(out).families == {"claims": "claims"}


def test_another_victim_never_replaces_the_former(arena, tmp_path):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    arena.classified().to_csv(path, index=False)
    answer(arena, path, "one", out, victims=())
    with pytest.raises(CamobenchError, match="victims one, here two"):
        answer(arena, path, "two", out, victims=())
    assert {path.name for path in out.glob("column-*")} == {
        f"column-one.{suffix}" for suffix in ("md", "csv", "tex")
    }


def test_wrong_predictions_are_refused(arena, tmp_path):
    said = arena.classified()
    said.loc[0, "predicted"] = "simcam-1"
    said.to_csv(tmp_path / "answer.csv", index=False)
    outcome = answer(arena, tmp_path / "answer.csv", "wrong", tmp_path / "out", victims=())
    assert (outcome.refused, outcome.scored) == (True, False)
    (examples,) = outcome.problems.of("error").values()
    assert examples[0].endswith("simcam-1, did you mean simcam-01?")


@pytest.mark.parametrize("dry_run", [True, False])
def test_predictions_on_attacks_of_another_training_are_refused(arena, tmp_path, dry_run):
    path = tmp_path / "answer.csv"
    arena.classified().to_csv(path, index=False)
    store = Store(shutil.copytree(arena.store.root, tmp_path / "store"))
    asked = replace(request(victims=()), seed=1)
    with pytest.raises(CamobenchError, match="exported with other networks or another version of"):
        score_answer(path, "late", asked, store, tmp_path / "out", described={}, dry_run=dry_run)


@pytest.mark.parametrize("dry_run", [True, False])
def test_predictions_on_an_attack_with_other_weights_are_refused(arena, tmp_path, dry_run):
    path, out = tmp_path / "answer.csv", tmp_path / "out"
    arena.classified().to_csv(path, index=False)
    store = Store(shutil.copytree(arena.store.root, tmp_path / "store"))
    (secret,) = [c for c in (store.root / "challenges").iterdir() if "cgan" in c.read_text()]
    record = read_record(secret, secret)
    record["content"]["cgan-img"]["digest"] = "0" * 64
    write_record(secret, record)
    with pytest.raises(CamobenchError, match=r"exported with other networks .* of cgan-img"):
        score_answer(path, "x", request(victims=()), store, out, described={}, dry_run=dry_run)


@pytest.mark.usefixtures("own_registries")
def test_a_plug_in_of_a_challenge_is_to_be_named_again(smoke_copy, tmp_path):
    source = write(tmp_path / "mine.py", FOG)
    select_attacks(f"{source}:Fog")
    asked = request(attacks=("fog",), victims=())
    pictures = tmp_path / "pictures"
    export_challenge(asked, smoke_copy.store, pictures, for_victims=True)
    ids = [path.stem for path in (pictures / "images").iterdir()]
    path = tmp_path / "answer.csv"
    pd.DataFrame({"image": ids, "predicted": CARD.classes[0]}).to_csv(path, index=False)
    entry = ATTACKS.get("fog")
    ATTACKS.forget(["fog"])
    call = partial(score_answer, path, "net", store=smoke_copy.store, out=tmp_path / "o")
    asked = request(attacks=(), victims=())
    with pytest.raises(CamobenchError, match="images of fog, not known here: name the plug-in"):
        call(request=asked, described={}, dry_run=True)
    ATTACKS.add(entry)
    assert call(request=asked, described={}, dry_run=True).coverage.whole


def test_a_run_beside_answers_is_what_it_was(arena, smoke, tmp_path):
    out = evaluate_request(request(), arena.store, tmp_path / "out")
    for name in ("predictions", "distortion"):
        one, other = (pd.read_parquet(place / f"{name}.parquet") for place in (out, smoke.out))
        pd.testing.assert_frame_equal(one, other)
