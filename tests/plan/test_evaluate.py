import pandas as pd
import pytest

from bench.plan import evaluate as public
from bench.plan.evaluate import evaluate
from bench.records.load import load_run
from bench.registry import UnknownNameError
from bench.store import STORE_VARIABLE
from bench.suites.catalogue import load_suite
from bench.types import CamobenchError
from tests.smoke import ATTACKS, SUITE, VICTIMS


@pytest.fixture
def asked(monkeypatch, smoke):
    """The requests that would be run, with store and folder."""
    calls = []

    def note(request, store, out, progress):
        calls.append((request, store, out))
        return load_run(smoke.out)

    monkeypatch.setattr(public, "evaluate_run", note)
    return calls


def test_it_gives_the_run_that_the_command_line_would(smoke_copy):
    run = evaluate(
        suite=SUITE,
        attacks=ATTACKS,
        victims=list(VICTIMS),
        recipe="smoke",
        device="cpu",
        shipped=False,
        store=smoke_copy.store.root,
        out=str(smoke_copy.out),
    )
    assert run.directory == smoke_copy.out
    assert set(run.predictions["attack"]) == set(ATTACKS)
    written = pd.read_parquet(smoke_copy.out / "distortion.parquet")
    pd.testing.assert_frame_equal(run.distortion, written, check_dtype=False)
    for split, number in (("in", 2), ("out", 3)):
        for format in ("md", "csv", "tex"):
            text = (smoke_copy.out / f"table{number}.{format}").read_text()
            assert run.table(split, format) == text
    assert run.clean_accuracy("csv") == (smoke_copy.out / "clean_accuracy.csv").read_text()


def test_names_come_as_patterns_or_lists_and_the_suite_as_a_name_or_a_source(asked, tmp_path):
    source = load_suite(SUITE)
    for suite, attacks, victims in (
        (SUITE, "jpeg,cgan-img", "pef-resnet*"),
        (source, ["jpeg", "cgan-img"], ["pef-r*"]),
    ):
        evaluate(suite=suite, attacks=attacks, victims=victims, store=tmp_path)
        request = asked[-1][0]
        assert request.attacks == ("jpeg", "cgan-img")
        assert request.victims == ("pef-resnet12", "pef-resnet18", "pef-resnet34")
        assert request.source.card == source.card


def test_defaults_are_those_of_the_command_line_but_one_process(asked, tmp_path, monkeypatch):
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    evaluate(device="cpu")
    request, store, out = asked[0]
    assert (store.root, str(out)) == (tmp_path, "camobench-out")
    assert (request.recipe, request.seed, request.workers, request.shipped) == ("mini", 0, 1, True)
    assert request.source.card.name == "simcam-mini-v2"
    assert len(request.victims) >= 15
    assert "identity" in request.attacks


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"attacks": ["misl-gan"]}, "did you mean mislgan"),
        ({"recipe": "smok"}, "unknown recipe 'smok': did you mean smoke"),
        ({"victims": []}, "a matrix needs victims"),
        ({"suite": "simcam-min"}, "unknown suite"),
    ],
)
def test_wrong_asks_say_what_to_do(tmp_path, wrong, message):
    ask = {"store": tmp_path / "store", "out": tmp_path / "out", "suite": SUITE, "attacks": "jpeg"}
    with pytest.raises((UnknownNameError, CamobenchError), match=message):
        evaluate(**ask | wrong)
    assert not (tmp_path / "out").exists()
