"""`my.py:MyAttack`: loading, registering, telling versions apart, and every error."""

import sys

import pytest

from bench.contract import ATTACKS
from bench.contract.plugin_files import load_again, load_plugin_file, loaded_plugin_files
from bench.jobs.building import build_attack
from bench.plan.graph import plan
from bench.plan.names.selection import select_attacks, select_victims
from bench.recipes import SMOKE
from bench.store import file_digest
from bench.types import CamobenchError, WrongUsageError
from tests.plugins import FOG, MEAN, write
from tests.smoke import ToySource

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture
def fog(tmp_path):
    return write(tmp_path / "fog.py", FOG)


def haze(name):
    """What code of a registered attack has under a name."""
    return ATTACKS.get("fog").builder.transform.__globals__[name]


def key(name="fog"):
    return plan(ToySource().card, SMOKE, attacks=[name], victims=()).attacks[name]


def test_a_class_in_a_file_is_registered_and_nothing_else_changes(fog, monkeypatch):
    monkeypatch.chdir(fog.parent)
    path = list(sys.path)
    loaded = load_plugin_file("fog.py:Fog")
    assert (loaded.kind, loaded.names, loaded.files) == (
        "attack",
        ("fog",),
        {fog: file_digest(fog)},
    )
    assert ATTACKS.get("fog").origin == "fog.py:Fog"
    assert ATTACKS.is_installed("fog")
    assert load_plugin_file(f"{fog}:Fog") == loaded  # a second look changes nothing
    assert loaded_plugin_files() == (loaded,)
    assert sys.path == path
    assert "fog" not in sys.modules


def test_imports_from_beside_it_and_of_its_package(tmp_path):
    write(tmp_path / "__init__.py", "MIST = 0.5")
    write(tmp_path / "net.py", "HAZE = 0.25")
    write(tmp_path / "bench.py", "raise RuntimeError('a file of the same name as ours')")
    lines = "import camobench\n    from . import MIST\n    from .net import HAZE"
    path = write(tmp_path / "fog.py", FOG.replace("import camobench", lines))
    load_plugin_file(f"{path}:Fog")
    assert (haze("HAZE"), haze("MIST")) == (0.25, 0.5)


def test_attacks_and_victims_of_one_file(tmp_path):
    path = write(tmp_path / "both.py", FOG + MEAN)
    assert select_attacks(f"jpeg,{path}:Fog") == ["jpeg", "fog"]
    assert select_victims([f"{path}:Mean", "img-resnet12"]) == ["mean-colour", "img-resnet12"]
    with pytest.raises(WrongUsageError, match=r"both.py:Mean is victim mean-colour, no attack"):
        select_attacks(f"{path}:Mean")
    with pytest.raises(WrongUsageError, match=r"both.py:Fog is attack fog, no victim"):
        select_victims(f"{path}:Fog")


def test_a_list_of_entries_and_a_class_that_registers_itself(tmp_path):
    text = FOG.replace("class Fog", "@camobench.register_attack\n    class Fog")
    text += """
    class Mist(Fog):
        spec = camobench.AttackSpec(name="mist", targeted=False)

    ENTRIES = [Mist]
"""
    path = write(tmp_path / "fog.py", text)
    assert load_plugin_file(f"{path}:Fog").names == ("fog",)
    assert load_plugin_file(f"{path}:ENTRIES").names == ("mist",)


def test_an_edited_file_is_another_plug_in(fog):
    select_attacks(f"{fog}:Fog")
    first, loaded = key(), loaded_plugin_files()
    select_attacks(f"{fog}:Fog")
    assert key() == first
    write(fog, FOG.replace("0.9", "0.8"))
    assert key() == first
    with pytest.raises(CamobenchError, match=r"fog.py:Fog has changed while it was run; run it ag"):
        load_again(loaded)
    select_attacks(f"{fog}:Fog")
    assert key() != first
    assert 0.8 in build_attack("fog", (), SMOKE).transform.__func__.__code__.co_consts


@pytest.mark.parametrize("builder", ["partial(Fog)", "lambda *spec, **more: Fog(*spec, **more)"])
def test_an_edited_file_that_registers_an_entry_too_is_loaded_anew(tmp_path, builder):
    registers = f"""
    from functools import partial
    from bench.registry import Entry
    from bench.contract import ATTACKS

    MIST = camobench.AttackSpec(name="mist", targeted=False)
    ATTACKS.add(Entry(spec=MIST, builder={builder}))
    """
    for gain in (0.9, 0.8):
        path = write(tmp_path / "fog.py", FOG.replace("0.9", str(gain)) + registers)
        assert load_plugin_file(f"{path}:Fog").names == ("fog",)
        assert gain in build_attack("mist", (), SMOKE).transform.__func__.__code__.co_consts


@pytest.mark.parametrize("module", ["mylab_haze", "mylab.haze"])
def test_an_edited_module_that_it_imports_is_loaded_anew(tmp_path, monkeypatch, module):
    monkeypatch.syspath_prepend(tmp_path / "lib")
    for name in ("mylab_haze", "mylab", "mylab.haze"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    write(tmp_path / "lib" / "mylab" / "__init__.py", "")
    package, _, name = module.rpartition(".")
    line = f"from {package} import {name} as shown" if package else f"import {name} as shown"
    fog = FOG.replace("import camobench", f"import camobench\n    {line}")
    path, keys = write(tmp_path / "fog.py", f"{fog}\n    HAZE = shown.HAZE\n"), []
    for value in (0.125, 0.25, 0.125):
        write(tmp_path / "lib" / f"{module.replace('.', '/')}.py", f"HAZE = {value}\n")
        load_plugin_file(f"{path}:Fog")
        assert haze("HAZE") == value
        keys.append(key())
    assert keys[0] == keys[2] != keys[1]


def test_a_class_may_be_called_otherwise_and_all_that_uses_an_edited_module_is_new(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.delitem(sys.modules, "mylab_haze", raising=False)
    fog = FOG.replace("import camobench", "import camobench\n    from mylab_haze import HAZE")
    path, mist = tmp_path / "fog.py", write(tmp_path / "mist.py", fog.replace('"fog"', '"mist"'))
    for title, value in (("Fog", 0.125), ("Thick", 0.25)):
        write(tmp_path / "lib" / "mylab_haze.py", f"HAZE = {value}\n")
        load_plugin_file(f"{write(path, fog.replace('Fog', title))}:{title}")
        if title == "Fog":
            load_plugin_file(f"{mist}:Fog")
    for name in ("fog", "mist"):  # the second by its name alone
        assert ATTACKS.get(name).builder.transform.__globals__["HAZE"] == 0.25
    mist.unlink()
    write(tmp_path / "lib" / "mylab_haze.py", "HAZE = 0.5\n")
    assert load_plugin_file(f"{path}:Thick").names == ("fog",)
    assert "mist" not in ATTACKS


def test_two_classes_of_one_name_have_two_keys_and_no_common_run(tmp_path):
    path = write(tmp_path / "fog.py", FOG + "\n    class Thick(Fog):\n        haze = 2\n")
    select_attacks(f"{path}:Fog")
    with pytest.raises(CamobenchError, match=r"as Fog \(fog.py:Fog\), and Thick is another: give"):
        select_attacks(f"{path}:Thick")
    fog = key()
    ATTACKS.forget(["fog"])
    select_attacks(f"{path}:Thick")
    assert key() != fog


WEIGHTED = """
    from pathlib import Path
    import camobench

    class Heavy(camobench.Attack):
        spec = camobench.AttackSpec(name="heavy", targeted=False)
        hyperparameters = {"weights": Path("heavy.pt"), "scale": 2}

        def transform(self, images, targets):
            return images
"""


def test_the_content_of_weight_files_is_part_of_the_key(tmp_path, monkeypatch):
    path = write(tmp_path / "heavy.py", WEIGHTED)
    monkeypatch.chdir("/")
    select_attacks(f"{path}:Heavy")
    with pytest.raises(CamobenchError, match=r"heavy names .*heavy.pt in its `hyperparameters`, w"):
        key("heavy")
    keys = set()
    for content in (b"one", b"two"):
        (tmp_path / "heavy.pt").write_bytes(content)
        keys.add(key("heavy"))
    assert len(keys) == 2
    assert build_attack("heavy", (), SMOKE).stated_hyperparameters()["weights"] == {
        "file": "heavy.pt",
        "sha256": "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3",
    }


# errors: one line each, with the remedy


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("nowhere.py:Fog", r"no plug-in file nowhere.py: give its path from /"),
        ("~nobody-of-this-name/fog.py:Fog", r"no plug-in file ~nobody-of-this-name/fog.py"),
        ("fog.py:Fgo", r"fog.py has no Fgo: it defines Fog$"),
        ("fog.py", r"name the class in fog.py too: fog.py:MyAttack"),
        ("fog.py:camobench", r"fog.py:camobench is no Attack and no Victim: write `cl"),
        ("plain.py:Plain", r"plain.py:Plain is no Attack and no Victim: write `"),
        ("plain.py:Nothing", r"plain.py has no Nothing: it defines no Attack and no Victim"),
    ],
)
def test_wrong_usage(fog, monkeypatch, asked, message):
    monkeypatch.chdir(fog.parent)
    write(fog.parent / "plain.py", "class Plain: pass")
    with pytest.raises(WrongUsageError, match=message) as error:
        select_attacks(asked)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef f(:\n", r"my.py line 2: SyntaxError: .*; mend it"),
        ("\nfrom near import G\n", r"my.py line 2: ModuleNotFoundError: .*`from .net import"),
        ("import surely_not_there\n", r"my.py line 1: .*surely_not_there'; install it, or import"),
        ("\n\n1 / 0\n", r"my.py line 3: ZeroDivisionError: division by zero; mend it"),
        ("import sys\nsys.exit(3)\n", r"my.py line 2: SystemExit: 3; mend it"),
        ("from .near import G\n", r"near.py line 1: SyntaxError"),
        ("import camobench\nclass A(camobench.Attack): pass\n", r"my.py:A: A needs a class attrib"),
        (FOG.replace('"fog"', '"jpeg"'), r"'jpeg' is registered already, as attacks.*:.*, and Fog"),
        (FOG.replace('"fog"', '"My Fog"'), r"my.py line \d: ValueError: attack name 'My Fog' must"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    if "near" in text:
        write(tmp_path / "near.py", "def (" if ".near" in text else "")
    path = write(tmp_path / "my.py", text)
    name = "Fog" if "Fog" in text else "A"
    attacks = ATTACKS.names()
    with pytest.raises(CamobenchError, match=message) as error:
        load_plugin_file(f"{path}:{name}")
    assert "\n" not in str(error.value)
    assert ATTACKS.names() == attacks
    if " line " in message:
        assert not [name for name in sys.modules if name.startswith("camobench_plugin_")]


def test_what_a_failing_file_registered_is_forgotten_and_it_can_be_mended(tmp_path):
    text = FOG.replace("class Fog", "@camobench.register_attack\n    class Fog")
    path = write(tmp_path / "fog.py", text + "\n    1 / 0\n")
    with pytest.raises(CamobenchError, match="ZeroDivisionError"):
        load_plugin_file(f"{path}:Fog")
    for mended in (text, text + "\n\n    # edited\n"):
        write(path, mended)
        assert load_plugin_file(f"{path}:Fog").names == ("fog",)  # no clash with itself
