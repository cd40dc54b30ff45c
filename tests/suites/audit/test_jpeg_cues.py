import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from bench.suites.audit.jpeg_cues import chroma_subsampling, jpeg_tables, named_percent
from tests.suites.audit.frames import CARD, manifest


def test_tables_that_all_share_tell_nothing():
    found = jpeg_tables(manifest(), CARD)
    assert found.verdict == "pass"
    assert found.headline == (
        "JPEG tables alone name the class of 50 % of Set-C's 8 photographs (chance 50 %)"
    )
    assert "three: quality 90 100 %" in found.finding


def test_tables_of_ones_own_tell_the_class():
    frame = manifest()
    frame["jpeg_tables"] = "t-" + frame["model"]
    frame.loc[frame["image_id"] == "A-two-1-1", ["jpeg_tables", "jpeg_quality"]] = ["t-rare", 75]
    found = jpeg_tables(frame, CARD)
    assert found.verdict == "warn"
    assert "name the class of 100 %" in found.headline
    assert "one: quality 90 100 %; two: quality 90 92 %, quality 75 8 %" in found.finding
    frame.loc[frame["model"] == "two", "jpeg_subsampling"] = "4:2:2"
    frame.loc[frame["image_id"] == "C-two-0-0", "jpeg_subsampling"] = "4:2:0"
    found = chroma_subsampling(frame, CARD)
    assert "names the class of 88 % of Set-C's 8" in found.headline
    assert "one: 4:2:0 100 %; two: 4:2:2 92 %, 4:2:0 8 %" in found.finding


def test_the_accuracy_is_that_of_a_tree_that_knows_the_tables_alone():
    random = np.random.default_rng(0)
    model = random.integers(0, 3, 600)
    table = (model + random.integers(0, 3, 600) * random.integers(0, 2, 600)) % 7
    frame = pd.DataFrame({"model": model, "cue": table})
    learnt, asked = frame[:400], frame[400:]
    one_hot = np.eye(7)[table]
    tree = DecisionTreeClassifier(random_state=0).fit(one_hot[:400], model[:400])
    expected = 100 * tree.score(one_hot[400:], model[400:])
    assert 50 < expected < 99
    assert named_percent(learnt, asked, "cue") == pytest.approx(expected)


def test_tiles_of_one_photograph_count_once_and_no_jpeg_is_a_cue_too():
    frame = manifest()
    columns = ["jpeg_tables", "jpeg_quality", "jpeg_subsampling"]
    frame.loc[frame["model"] == "two", columns] = None
    frame.loc[frame["image_id"] == "C-one-0-0", columns] = None
    tiles = pd.concat([frame, *[frame[frame["image_id"] == "C-one-0-0"]] * 20])
    found = jpeg_tables(tiles, CARD)
    assert found.verdict == "warn"
    assert "the class of 88 % of Set-C's 8 photographs" in found.headline
    assert "two: no JPEG 100 %" in found.finding
    for check in (jpeg_tables, chroma_subsampling):
        found = check(frame.assign(**dict.fromkeys(columns)), CARD)
        assert (found.verdict, found.finding) == ("pass", "no file is a JPEG")
