import hashlib
import importlib
import os
import runpy
import subprocess
import sys

import pytest

from bench.sources.imports import code_of, imports_of


def write(folder, **files):
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "my.py"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder on the import path; what is imported from it is forgotten again."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_imports_are_found_wherever_they_stand(tmp_path):
    text = "import a.b\ndef f():\n    from .net import G\n    from . import h\n"
    my = write(tmp_path, my=f"{text}importlib.import_module('c.d')\n__import__(name)\n")
    assert set(imports_of(my)) == {
        ("a.b", 1),
        (".net", 3),
        (".net.G", 3),
        (".", 4),
        (".h", 4),
        ("c.d", 5),
    }


def test_code_is_followed_through_modules_that_nothing_has_imported(lab):
    write(lab, my="import numpy.linalg, json\ndef fit():\n    from pkg.deep import net\n")
    write(lab / "pkg", __init__="import tools", unrelated="")
    write(lab / "pkg" / "deep", net="import camobench\nimport my")
    write(lab, tools="import torch.nn.functional as F")
    code = code_of(["my"])
    assert list(code.files) == ["my", "pkg", "pkg.deep.net", "tools"]
    assert list(code.distributions) == ["camobench", "numpy", "torch"]
    assert "pkg" not in sys.modules
    write(lab / "pkg" / "deep", net="import camobench\nimport my\n1")
    assert code_of(["my"]).files != code.files


@pytest.mark.parametrize("where", ["site-packages", "src"])
def test_an_installed_package_counts_by_its_version_and_sources_by_their_text(
    lab, monkeypatch, where
):
    """A build leaves metadata beside the sources, too."""
    write(lab, my="import helper")
    write(lab / where, helper="G = 1")
    place = lab / where / "helper-1.5.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: helper\nVersion: 1.5\n")
    (place / "top_level.txt").write_text("helper\n")
    monkeypatch.syspath_prepend(lab / where)
    code, installed = code_of(["my"]), where == "site-packages"
    assert ("helper" in code.files) is not installed
    assert code.distributions.get("helper") == ("1.5" if installed else None)


def test_what_the_text_does_not_tell_is_named(lab):
    text = "import importlib, os, cv2\nnet = importlib.import_module(os.environ['NET'])\n"
    write(lab, my=text, cv2="")
    code = code_of(["my"])
    assert code.computes_imports
    assert code.not_covered == (
        "environment variables that my.py reads",
        "modules that my.py line 2 imports by a computed name",
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("from torchvision.io import read_image\nW = read_image('w.png')\n", "read_image"),
        ("def f(p):\n    return pandas.read_parquet(p)\n", "read_parquet"),
        ("net = timm.create_model('x', checkpoint_path='w.pth')\n", "checkpoint_path"),
    ],
)
def test_what_opens_files_out_of_pythons_sight_is_named(lab, body, named):
    write(lab, my=body)
    assert f"files that {named} opens" in code_of(["my"]).not_covered


def test_a_module_counts_as_it_was_imported_whatever_its_file_has_become(lab):
    old, new = "def f():\n    return 1\n", "def f():\n    return 2\n"
    write(lab, my="import helper", helper=old)
    import helper  # type: ignore[import-not-found]

    write(lab, helper=new)
    assert runpy.run_path(helper.__file__)["f"]() == 2  # apart from what is imported
    assert code_of(["my"]).files["helper"] == hashlib.sha256(old.encode()).hexdigest()
    importlib.reload(helper)
    assert code_of(["my"]).files["helper"] == hashlib.sha256(new.encode()).hexdigest()


def test_what_was_imported_before_anybody_watched_and_edited_since_is_refused(lab):
    write(lab, my="import helper", helper="K = 0.9\n")
    text = (
        "import os, time, helper\n"
        "from bench.sources.imports import code_of\n"
        "os.utime(helper.__file__, (time.time() + 9,) * 2)\n"
        "code_of(['my'])\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True)
    assert b"helper.py has changed since this process imported it: reload it" in done.stderr


def test_whoever_watches_asks_python_for_its_folders_before(lab):
    """Python 3.13 opens a file of its own for them, at which it would be asked again, half-way."""
    write(lab, my="open('data').close()")
    (lab / "data").touch()
    text = (
        "import sys, sysconfig\n"
        "from bench.sources.opened import watch_opens\n"
        "watch_opens()\n"
        "sysconfig.get_path = sysconfig.get_paths = None\n"
        "import my\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", text], env=environment, cwd=lab, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
