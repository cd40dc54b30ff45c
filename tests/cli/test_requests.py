import json
import re
from functools import partial

from rich.console import Console

from bench.types import SILENT


def test_tables_fit_a_terminal_unless_a_format_is_asked_for(camobench, monkeypatch):
    monkeypatch.setattr("bench.cli.requests.Console", partial(Console, width=60, color_system=None))
    written = camobench("list", "recipes", "--format", "md")[1]
    assert camobench("list", "recipes")[1] == written  # no terminal
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert camobench("list", "recipes", "--format", "md")[1] == written
    assert json.loads(camobench("list", "recipes", "--json")[1])
    shown = camobench("list", "recipes")[1]
    assert "|" not in shown
    assert max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in shown.splitlines()) <= 60


def test_folder_options_reach_the_suite(camobench, monkeypatch, tmp_path):
    seen = []

    def load_suite(name, *, progress=SILENT, store=None, **options):
        assert store == tmp_path / "store"
        seen.append((name, options, progress is not SILENT))
        raise ValueError("enough")

    monkeypatch.setattr("bench.suites.catalogue.load_suite", load_suite)
    folder = ["--suite", "folder:photos"]
    options = ["--image-px", "128", "--tiles", "3", "--classes", "a,b", "--skip-bad"]
    options += ["--layout", "vision", "--root", tmp_path, "--partial"]
    expected = {"image_px": 128, "tiles_per_photo": 3, "classes": "a,b", "skip_bad": True}
    expected |= {"layout": "vision", "root": tmp_path, "partial": True}
    store = ["--store", tmp_path / "store"]
    for words in (
        ["run", *folder],
        ["train", *folder, "--victims", "all"],
        ["anonymise", "a.jpg", "--attack", "jpeg", *folder],
        ["attribute", "a.jpg", *folder],
        ["data", "prepare", "folder:photos"],
        ["data", "show", "folder:photos"],
        ["data", "audit", "folder:photos"],
    ):
        assert camobench(*words, *store, *options)[0] == 2
        assert seen[-1][:2] == ("folder:photos", expected), words
        assert camobench(*words, *store)[0] == 2
        assert seen[-1][:2] == ("folder:photos", {}), words
    assert seen[0][2]  # long reading is shown
