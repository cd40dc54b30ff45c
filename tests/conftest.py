"""What many tests share: a toy run, a finished smoke run, and the command line in this process."""

import os
import shutil
import sys
from itertools import count

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers that each take every core wait for one another; read when torch is first imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from bench.records.load import load_run
from bench.report.tables.paper import build_table
from tests.toy_run import ATTACKS, make_entry, make_frames, write_run, write_samples

settings.register_profile(
    "same-each-time",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # of a busy machine, not of the test
)
settings.load_profile("same-each-time")


def pytest_collection_modifyitems(items):
    """Put the tests of Ray's clusters first, in one worker: apart they wait for one another."""
    items.sort(key=lambda item: item.path.name != "test_cluster.py")


@pytest.fixture(scope="session")
def frames():
    return make_frames()


@pytest.fixture(scope="session")
def pristine(frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pristine") / "run"
    write_run(folder, *frames, [make_entry(name) for name in ATTACKS])
    write_samples(folder / "samples")
    return folder


@pytest.fixture(scope="session")
def run(pristine):
    return load_run(pristine)


@pytest.fixture(scope="session")
def tables(run):
    return {split: build_table(run, split) for split in ("in", "out")}


@pytest.fixture
def run_dir(tmp_path, pristine):
    """A folder as the runner leaves it, without samples; a test may spoil its own copy."""
    ignore = shutil.ignore_patterns("samples")
    return shutil.copytree(pristine, tmp_path / "run", ignore=ignore)


@pytest.fixture
def sampled_dir(tmp_path, pristine):
    """The same with its samples."""
    return shutil.copytree(pristine, tmp_path / "run")


@pytest.fixture(scope="session", autouse=True)
def nothing_from_this_machine(tmp_path_factory):
    """No test sees the user's store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMOBENCH_STORE", str(tmp_path_factory.mktemp("default") / "store"))
        yield


@pytest.fixture
def store(tmp_path):
    """An empty one."""
    from bench.store import Store

    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """A finished run of the smallest suite and recipe; read it, never write to it."""
    from bench.plan.request import evaluate_run
    from bench.store import Store
    from tests.smoke import Smoke, request

    root = tmp_path_factory.mktemp("smoke")
    store = Store(root / "store")
    return Smoke(store, evaluate_run(request(), store, root / "out").directory)


@pytest.fixture(scope="session")
def readme_store(tmp_path_factory):
    """One store for all that the README's readers run, whichever worker runs it."""
    root = tmp_path_factory.getbasetemp()
    return (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "readme-store"


@pytest.fixture
def smoke_copy(smoke, tmp_path):
    """A copy of the finished run's store and results; a test may spoil it."""
    return smoke.copy(tmp_path)


@pytest.fixture
def ask(smoke_copy, tmp_path):
    """`evaluate` on a copy of the finished run's store, each call with a folder of its own."""
    from bench.plan.evaluate import evaluate
    from tests.smoke import SUITE

    folders = (tmp_path / f"out-{number}" for number in count())

    def call(**what):
        what = {"out": next(folders), "executor": "inline", "progress": False, **what}
        return evaluate(
            suite=SUITE, recipe="smoke", device="cpu", shipped=False,
            store=smoke_copy.store.root, **what,
        )  # fmt: skip

    return call


@pytest.fixture(scope="session")
def exported(smoke, tmp_path_factory):
    """Both challenges of the finished run; read them, never score with their store."""
    from tests.challenge.answers import Arena

    root = tmp_path_factory.mktemp("exported")
    shutil.copytree(smoke.store.root, root / "store")
    Arena(root).export()
    return root


@pytest.fixture(scope="module")
def arena(exported, tmp_path_factory):
    """A copy of them, with its store."""
    from tests.challenge.answers import Arena

    return Arena(shutil.copytree(exported, tmp_path_factory.mktemp("arena") / "copy"))


@pytest.fixture
def own_registries(monkeypatch):
    """Both registries as they are, for one test: what it registers is forgotten again."""
    from bench.contract import ATTACKS, VICTIMS, plugin_files

    for registry in (ATTACKS, VICTIMS):
        registry.names()
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    for kept in ("_loaded", "_modules", "_decorated"):
        monkeypatch.setattr(plugin_files, kept, {})
    yield
    for name in [name for name in sys.modules if name.startswith("camobench_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def camobench(monkeypatch, capsys):
    """The command line in this process: exit code, standard output, standard error."""
    from bench import cli

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call
