from bench.plan.missing import find_missing
from bench.plan.request import open_session
from bench.store import Store
from tests.smoke import VICTIMS, request


def test_an_empty_store_lacks_everything(tmp_path):
    missing = find_missing(open_session(request(), Store(tmp_path)))
    assert [job.label for job in missing.jobs] == [
        "estimator wdf-v1 (Set-A)",
        "surrogate img-resnet18 (Set-B)",
        "victim img-resnet12 (Set-A)",
        "victim wdf-resnet12 (Set-A)",
        "attack cgan-img (Set-B)",
    ]
    assert missing.cells == {name: tuple(VICTIMS) for name in ("cgan-img", "jpeg", "identity")}
    assert missing.summary == "5 of 5 networks and 6 of 6 cells are missing"


def test_a_full_matrix_lacks_nothing(smoke):
    missing = find_missing(open_session(request(), smoke.store))
    assert (missing.jobs, missing.cells, missing.rows()) == ((), {}, [])
    assert missing.trained_s > 0


def test_a_new_victim_lacks_one_column(smoke):
    more = request(victims=(*VICTIMS, "img-resnet34"))
    missing = find_missing(open_session(more, smoke.store))
    assert [job.label for job in missing.jobs] == ["victim img-resnet34 (Set-A)"]
    assert set(missing.cells.values()) == {("img-resnet34",)}
    assert missing.rows()[1] == {
        "work": "score",
        "name": "cgan-img",
        "cells": 1,
        "victims": "img-resnet34",
    }


def test_a_lost_estimator_makes_its_victims_unscored(smoke_copy):
    session = open_session(request(), smoke_copy.store)
    key = session.graph.estimators["A"]
    folder = smoke_copy.store.checkpoint_folder("estimator", "wdf-v1", key)
    (folder / "card.json").unlink()
    missing = find_missing(session)
    assert [job.kind for job in missing.jobs] == ["estimator"]
    assert set(missing.cells.values()) == {("wdf-resnet12",)}


def test_distortions_and_kept_images_are_missed_too(smoke_copy):
    kept = find_missing(open_session(request(keep_images=True), smoke_copy.store))
    assert kept.cells == dict.fromkeys(("cgan-img", "jpeg", "identity"), ())
    for path in smoke_copy.store.root.glob("predictions/*/distortion/*.parquet"):
        path.unlink()
    missing = find_missing(open_session(request(), smoke_copy.store))
    assert missing.cells == kept.cells
    assert [row["work"] for row in missing.rows()] == ["score"] * 3
