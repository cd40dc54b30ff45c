"""The public import of camobench: `from camobench import Attack, AttackSpec`.

The code lives in the packages `bench`, `attacks` and `victims`. Folders of yours may have the same
names; when one hides one of ours, the first use of a name from here says so. Names are resolved at
first use, so that `camobench table` never imports torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.contract import (
        Attack,
        AttackSpec,
        Victim,
        VictimSpec,
        register_attack,
        register_victim,
        untrained_victim,
    )
    from bench.plan.evaluate import evaluate
    from bench.suites.catalogue import load_suite
    from bench.types import FitReport

__all__ = [
    "Attack",
    "AttackSpec",
    "FitReport",
    "Victim",
    "VictimSpec",
    "evaluate",
    "load_suite",
    "register_attack",
    "register_victim",
    "untrained_victim",
]

_HOMES = {
    "FitReport": "bench.types",
    "evaluate": "bench.plan.evaluate",
    "load_suite": "bench.suites.catalogue",
}
"""Of what is not of `bench.contract`."""
_LANDMARKS = {"bench": "contract/__init__.py", "attacks": "controls.py", "victims": "convnet.py"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'camobench' has no attribute {name!r}")
    _refuse_shadows()
    return getattr(import_module(_HOMES.get(name, "bench.contract")), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _refuse_shadows() -> None:
    for package, landmark in _LANDMARKS.items():
        spec = find_spec(package)
        if spec is None:
            raise ImportError(f"camobench's package {package!r} is missing: install it again")
        places = [Path(place) for place in spec.submodule_search_locations or ()]
        if not any((place / landmark).is_file() for place in places):
            found = places[0] if places else spec.origin
            raise ImportError(
                f"camobench's package {package!r} is hidden by {found}: run from another folder, "
                "take that folder off PYTHONPATH, or rename it"
            )


def main() -> None:
    """The command line; where a package of ours is hidden, one line and exit code 1."""
    try:
        _refuse_shadows()
    except ImportError as error:
        sys.exit(f"error: {error}")
    from bench.cli import main as run

    run()
