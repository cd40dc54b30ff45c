"""What does not fit together is refused, with the file and the remedy in the message."""

import pandas as pd
import pytest

from bench.records.load import each_once, load_run
from bench.records.participants import NO_NETWORK
from tests.toy_run import edit_json, make_entry, rewrite

MISLGAN = "entry-mislgan.json"
VICTIM = make_entry("mislgan")["victims"][0] | {"key": "z"}


def change(folder, name, **at):
    """Set dotted keys of a JSON file, with `__` for the dot."""

    def edit(content):
        for key, value in at.items():
            *parents, last = key.split("__")
            place = content
            for parent in parents:
                place = place[parent]
            place[last] = value

    edit_json(folder / name, edit)


def test_a_run_loads(run):
    assert run.suite == "toy-v1"
    assert run.families["pef-resnet18"] == "pef"
    assert run.suite_notes == ("split by device <here>",)
    assert run.audit is None
    assert len(run.samples) == 4
    assert [attack.name for attack in run.attacks if attack.is_full_method] == ["cgan-img-wdf-pef"]


def test_a_victim_is_that_of_an_entry_that_has_its_network(run):
    victim = run.victims[0]
    lost = victim.model_copy(update={"digest": NO_NETWORK})
    assert each_once([lost, victim, lost]) == {victim.name: victim}


def test_a_preliminary_twin_is_not_the_full_method(run_dir):
    change(run_dir, MISLGAN, attack__laac=["img", "wdf", "pef"], attack__scfa=False)
    change(run_dir, MISLGAN, attack__preliminary=True, attack__paper_row=False)
    change(run_dir, MISLGAN, suite__audit={"verdict": "11 of 11 checks pass"})
    run = load_run(run_dir)
    assert run.audit is None  # of the others it is not known
    assert [attack.name for attack in run.attacks if attack.is_full_method] == ["cgan-img-wdf-pef"]
    rows = {attack.name: attack.row for attack in run.attacks}
    assert rows["cgan-img-wdf-pef"] == (frozenset({"img", "wdf", "pef"}), False)
    assert (rows["mislgan"], rows["identity"], rows["prnu_removal&[co]"]) == (None, None, None)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ({"scorer_version": 3}, r"entry-mislgan.json has scorer version 3.*never share a table"),
        ({"suite__fingerprint": "e"}, r"entry-mislgan.json has suite fingerprint 'e'"),
        ({"suite__classes": ["cam-b", "cam-a", "cam-c"]}, "has suite classes .'cam-b', 'cam-a"),
        ({"recipe": "paper"}, r"entry-mislgan.json has recipe 'paper'"),
        ({"seed": 7}, r"entry-mislgan.json has seed '7', .* has '0'"),
        ({"lpips__version": "0.2"}, r"entry-mislgan.json has LPIPS version"),
        ({"attack__label": "cgan-img"}, "mislgan.json: the label 'cgan-img' is another attack's"),
        ({"attack__key": "other"}, r"predictions.parquet has attack 'mislgan' under key"),
        ({"victims": [VICTIM]}, r"entry-mislgan.json: victim 'wdf-resnet18' differs"),
    ],
)  # fmt: skip
def test_entries_that_disagree(run_dir, at, message):
    change(run_dir, MISLGAN, **at)
    with pytest.raises(ValueError, match=message):
        load_run(run_dir)


@pytest.mark.parametrize("name", ["predictions.parquet", "distortion.parquet"])
def test_missing_broken_or_lacking_parquet(run_dir, name):
    rows = pd.read_parquet(run_dir / name)
    rows.drop(columns="attack_key").to_parquet(run_dir / name)
    with pytest.raises(ValueError, match=rf"{name} lacks the columns \['attack_key'\]"):
        load_run(run_dir)
    (run_dir / name).write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match=rf"{name} is not readable Parquet"):
        load_run(run_dir)
    (run_dir / name).unlink()
    with pytest.raises(ValueError, match=rf"{name} is missing; run the same command again"):
        load_run(run_dir)


def test_missing_entries(run_dir, tmp_path):
    (run_dir / MISLGAN).unlink()
    with pytest.raises(ValueError, match="rows of attack 'mislgan' that no entry"):
        load_run(run_dir)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"holds no entry-\*\.json"):
        load_run(tmp_path / "empty")
    with pytest.raises(ValueError, match="is not a folder"):
        load_run(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("suite", "else-v1", "keep one suite in a folder"),
        ("source", "stranger", "are no classes of the suite"),
        ("target", "stranger", "are no classes of the suite"),
        ("photo_id", "one", "belongs to two devices"),
        ("scene", "one", "belongs to two scenes"),
        ("p_predicted", float("nan"), "`p_predicted` is NaN"),
        ("victim", "unheard-of", "rows of victim 'unheard-of' that no entry"),
    ],
)
def test_predictions_that_do_not_fit(run_dir, column, value, message):
    def spoil(rows):
        return rows.assign(**{column: rows[column].where(rows["target"] != "cam-a", value)})

    rewrite(run_dir, "predictions", spoil)
    with pytest.raises(ValueError, match=message):
        load_run(run_dir)


def test_texts_may_be_dictionaries(run_dir):
    plain = load_run(run_dir).predictions
    texts = ["attack", "victim", "source", "target", "predicted"]
    rewrite(run_dir, "predictions", lambda rows: rows.astype(dict.fromkeys(texts, "category")))
    pd.testing.assert_frame_equal(load_run(run_dir).predictions, plain)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("original", "../predictions.parquet"),
        ("original", "gone.png"),
        ("original", None),
        ("split", "elsewhere"),
    ],
)
def test_samples_are_optional_but_not_garbled_and_stay_in_their_folder(sampled_dir, field, value):
    index = sampled_dir / "samples" / "samples.json"
    edit_json(index, lambda records: records[0].update({field: value}))
    with pytest.raises(ValueError, match="is not a list of samples"):
        load_run(sampled_dir)
    index.unlink()
    assert load_run(sampled_dir).samples == ()
