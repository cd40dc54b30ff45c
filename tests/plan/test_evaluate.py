import pandas as pd
import pytest

from bench.plan.evaluate import evaluate
from bench.registry import UnknownNameError
from bench.suites.catalogue import load_suite
from bench.types import CamobenchError
from tests.smoke import ATTACKS, SUITE, VICTIMS


def test_it_gives_the_run_that_the_command_line_would(smoke_copy):
    run = evaluate(
        suite=load_suite(SUITE),
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


@pytest.mark.parametrize(
    ("wrong", "message"), [({"recipe": "smok"}, "did you mean smoke"), ({"victims": []}, "victims")]
)
def test_wrong_asks_make_nothing(tmp_path, wrong, message):
    ask = {"store": tmp_path / "store", "out": tmp_path / "out", "suite": SUITE, "attacks": "jpeg"}
    with pytest.raises((UnknownNameError, CamobenchError), match=message):
        evaluate(**ask | wrong)
    assert not (tmp_path / "out").exists()
