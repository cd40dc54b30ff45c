"""What goes wrong for people, one test a case; the command line says it in one line.

Photographs that cannot be used (truncated, greyscale, RGBA, too small), empty classes and models
with one device are here as a whole command meets them; their parts have tests of their own in
`test_data.py`, `suites/test_folder.py` and `files/test_photographs.py`.
"""

import os
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest

from bench import cli
from bench.contract import ATTACKS, Attack, AttackSpec
from tests.smoke import ATTACKS as ALL
from tests.smoke import SUITE, VICTIMS
from tests.suites.test_folder import write_photo, write_tree

WORDS = ["--recipe", "smoke", "--device", "cpu", "--workers", "1", "--from-scratch"]


@pytest.fixture
def camobench(monkeypatch, capsys):
    """Call the command line; it must fail with this exit code and one line, which is returned."""

    def call(code, *words):
        monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        (line,) = [line for line in captured.err.splitlines() if not line.startswith("✓")]
        assert captured.out == ""
        assert line.startswith("error: ")
        return line

    return call


# photographs and folders


@pytest.fixture
def photos(tmp_path):
    """Two models, enough to run on."""
    return write_tree(tmp_path / "photos", {"one": [3, 3], "two": [3, 3]})


def truncated(path):
    whole = write_photo(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def test_photographs_that_cannot_be_used(monkeypatch, capsys, photos, tmp_path):
    folder = photos / "one" / "dev0"
    truncated(folder / "bad.jpg")
    write_photo(folder / "grey.jpg", mode="L")
    write_photo(folder / "alpha.png", mode="RGBA")
    write_photo(folder / "small.jpg", size=(200, 48))
    words = ["run", "--suite", f"folder:{photos}", "--image-px", "64", *WORDS]
    words += ["--store", str(tmp_path / "store"), "--victims", "img-resnet12"]
    monkeypatch.setattr(sys, "argv", ["camobench", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    err = capsys.readouterr().err
    assert end.value.code == 1
    assert f"error: 4 of 16 image files in {photos} cannot be used" in err
    for message in ("cannot be decoded", "image mode is L", "mode is RGBA", "200 x 48"):
        assert message in err


@pytest.mark.slow
def test_a_model_with_one_device_is_divided_by_image_and_that_is_said(
    tmp_path, capsys, monkeypatch
):
    photos = write_tree(tmp_path / "photos", {"one": [6], "two": [3, 3]})
    words = ["run", "--suite", f"folder:{photos}", "--image-px", "64", "--tiles", "2", *WORDS]
    words += ["--store", tmp_path / "store", "--out", tmp_path / "out"]
    words += ["--attacks", "identity", "--victims", "img-resnet12"]
    monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
    cli.main()
    assert "by image" in capsys.readouterr().out
    assert "by image" in (tmp_path / "out" / "table2.md").read_text()


# names


def test_unknown_names(camobench):
    line = camobench(2, "run", "--suite", SUITE, *WORDS, "--attacks", "cgan-image")
    assert "unknown attack 'cgan-image': did you mean cgan-img" in line
    line = camobench(2, "run", "--suite", SUITE, *WORDS, "--victims", "resnet18")
    assert "unknown victim 'resnet18': did you mean" in line
    assert "pef-resnet18" in line


# the store


def on_smoke(smoke_copy, *words):
    place = ["--store", smoke_copy.store.root, "--out", smoke_copy.out]
    chosen = ["--attacks", ",".join(ALL), "--victims", ",".join(VICTIMS)]
    return ["run", "--suite", SUITE, *WORDS, *place, *chosen, *words]


@pytest.mark.parametrize("kind", ["attack/cgan-img", "estimator/wdf-v1"])
def test_a_checkpoint_with_a_flipped_byte(camobench, smoke_copy, kind):
    (weights,) = smoke_copy.store.root.glob(f"checkpoints/{kind}-*/weights.safetensors")
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    for row in (smoke_copy.store.root / "predictions").rglob("*.parquet"):
        row.unlink()
    line = camobench(1, *on_smoke(smoke_copy))
    assert f"checkpoint {weights.parent} does not match its card" in line
    assert "remove that folder and run the same command again" in line


# plug-ins


class Mischief(Attack):
    spec = AttackSpec(name="mischief", targeted=False)
    returns = staticmethod(lambda images: images)

    def transform(self, images, targets):
        return self.returns(images)


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (
            lambda images: images * float("nan"),
            "mischief: the anonymised images: 98304 of 98304 values",
        ),
        (
            lambda images: images + float("inf"),
            "mischief: the anonymised images: 98304 of 98304 values",
        ),
        (lambda images: images[:, :, 1:], "mischief: `transform` returned shape (8, 3, 63, 64)"),
    ],
)
def test_a_transform_that_returns_nonsense(monkeypatch, capsys, smoke_copy, returns, message):
    ATTACKS.names()
    monkeypatch.setattr(ATTACKS, "_entries", dict(ATTACKS._entries))
    monkeypatch.setattr(Mischief, "returns", staticmethod(returns))
    ATTACKS.add(Mischief)
    words = on_smoke(
        smoke_copy, "--attacks", "mischief", "--quiet", "--out", smoke_copy.out.with_name("out")
    )
    monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    assert end.value.code == 1
    line = err.splitlines()[-1]
    assert line.startswith(
        "error: 2 cells failed: mischief on img-resnet12, mischief on wdf-resnet"
    )
    assert f"§ attack mischief failed: ValueError: {message}" in out
    assert (
        message
        in (smoke_copy.out.with_name("out") / "failures" / "attack-mischief.log").read_text()
    )


# interruption


def start(smoke_copy):
    call = "import sys; from camobench import main; sys.argv[0] = 'camobench'; main()"
    return subprocess.Popen(
        [sys.executable, "-c", call, *map(str, on_smoke(smoke_copy))],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def interrupt_after(process, beginning):
    """Send Ctrl-C when a line begins so; returns the exit code and all that was said."""
    said, sent = [], False
    for line in process.stderr:
        said.append(line)
        if line.startswith(beginning) and not sent:
            process.send_signal(signal.SIGINT)
            sent = True
    process.stdout.close()
    process.stderr.close()
    return process.wait(600), "".join(said)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_ctrl_c_in_training_and_in_scoring_then_the_same_command(smoke, smoke_copy):
    root = smoke_copy.store.root
    for kind in ("checkpoints", "predictions"):
        shutil.rmtree(root / kind)
    shutil.rmtree(next((root / "data").iterdir()) / "C")
    shutil.rmtree(smoke_copy.out)

    code, said = interrupt_after(start(smoke_copy), "✓ surrogate img-resnet18")
    if code == 0:
        pytest.skip("the run was over before the interruption reached it")
    assert code == 130
    assert said.endswith("interrupted: run the same command again to continue\n")
    assert "scoring" not in said
    assert len(list(root.glob("checkpoints/estimator/*/card.json"))) == 1

    code, said = interrupt_after(start(smoke_copy), f"✓ {SUITE}: Set-C")
    if code == 0:
        pytest.skip("scoring was over before the interruption reached it")
    assert code == 130
    assert "estimator" not in said  # it was there
    assert not smoke_copy.out.exists() or not list(smoke_copy.out.iterdir())

    process = start(smoke_copy)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert "✓ attack cgan-img" not in err  # nor was anything trained twice
    for name in ("predictions", "distortion"):
        frames = [pd.read_parquet(run.out / f"{name}.parquet") for run in (smoke, smoke_copy)]
        pd.testing.assert_frame_equal(*frames, rtol=1e-3, atol=1e-5)
    for name in ("table2.csv", "table3.csv", "clean_accuracy.csv"):
        assert (smoke.out / name).read_text() == (smoke_copy.out / name).read_text()
