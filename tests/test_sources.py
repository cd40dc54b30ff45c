import functools

import pytest

from attacks.controls import Jpeg
from bench.sources import digest_of, file_and_neighbours, imports_of, source_digest, source_files


def write(folder, **files):
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "my.py"


def names(files):
    return [file.name for file in files]


def test_imports_are_found_wherever_they_stand(tmp_path):
    text = "import a.b\ndef f():\n    from .net import G\n    from . import h\n"
    my = write(tmp_path, my=f"{text}importlib.import_module('c.d')\n__import__(name)\n")
    found = {(one.name, one.line) for one in imports_of(my)}
    assert found == {("a.b", 1), (".net", 3), (".net.G", 3), (".", 4), (".h", 4), ("c.d", 5)}


def test_neighbours_are_followed_and_strangers_left_alone(tmp_path):
    my = write(
        tmp_path,
        my="def fit():\n    from .net import G\n",
        net="from . import layers\nfrom .parts.one import P\nimport numpy\n",
        layers="",
        unrelated="",
    )
    write(tmp_path / "parts", one="")
    assert sorted(names(file_and_neighbours(my))) == ["layers.py", "my.py", "net.py", "one.py"]
    (tmp_path / "__init__.py").write_text("from .unrelated import x")
    assert {"__init__.py", "unrelated.py"} <= set(names(file_and_neighbours(my)))


def test_a_circle_of_imports_ends(tmp_path):
    my = write(tmp_path, my="from .net import G", net="from .my import F")
    assert names(file_and_neighbours(my)) == ["my.py", "net.py"]


def test_the_digest_knows_content_and_name_but_not_the_place(tmp_path):
    def digest(folder, **files):
        return digest_of(file_and_neighbours(write(tmp_path / folder, **files)))

    first = digest("one", my="from .net import G", net="G = 1")
    assert digest("two", my="from .net import G", net="G = 1") == first
    assert digest("three", my="from .net import G", net="G = 2") != first
    assert digest("four", my="from .net import G ", net="G = 1") != first


def test_an_installed_plug_in_is_its_whole_package(tmp_path, monkeypatch):
    write(tmp_path / "pkg", __init__="", net="G = 1")
    write(tmp_path / "pkg" / "sub", __init__="", mine="def build(): pass\nclass Mine: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    from pkg.sub import mine

    for builder in (mine.Mine, mine.build, functools.partial(mine.Mine), mine.Mine()):
        assert names(source_files(builder)) == ["__init__.py", "net.py", "__init__.py", "mine.py"]
    before = source_digest(mine.Mine)
    (tmp_path / "pkg" / "net.py").write_text("G = 2")
    assert source_digest(mine.Mine) != before


def test_what_has_no_source_is_refused():
    space = {"__name__": "nowhere"}
    exec("class Typed: pass", space)  # noqa: S102
    with pytest.raises(ValueError, match=r"the source of plug-in .*Typed.* put it into a file"):
        source_digest(space["Typed"])


def test_single_modules_are_files():
    assert names(source_files(Jpeg))[:1] == ["__init__.py"]
