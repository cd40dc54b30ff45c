"""All checks in reading order; what one raises stops none of the others."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import torch

from bench.contract.global_state import kept_global_state, use_exact_fp32
from bench.contract.plugin_files import place_of
from bench.types import CamobenchError, Progress, tracked
from bench.verdicts import Verdict
from bench.verify.contract_checks import building, images
from bench.verify.contract_checks.subject import FaultError, Subject, find_subjects


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: The line's first column.
        run: Looks at a subject and says what it found; what it raises is a failure too.
        needs: Checks without which it has nothing to look at: after a failure of one of them it is
            skipped, so that one fault is one line.
        kinds: What it is for.
    """

    name: str
    run: Callable[[Subject], str]
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("attack", "victim")


BUILT = ("build",)
RUNS = ("build", "range", "logits")
"""It can be built, and one batch of ordinary images goes through it."""
SIZES = (*RUNS, "sizes")
ATTACK, VICTIM = ("attack",), ("victim",)
CHECKS = (
    Check("spec", building.check_spec),
    Check("build", building.check_build),
    Check("hyperparameters", building.check_hyperparameters, BUILT),
    Check("initial weights", building.check_start, BUILT),
    Check("imports", building.check_imports),
    Check("fit", building.check_fit, ("spec", "build", "imports")),
    Check("range", images.check_range, BUILT, ATTACK),
    Check("picture", images.check_picture, ("build", "range"), ATTACK),
    Check("logits", images.check_logits, BUILT, VICTIM),
    Check("sizes", images.check_sizes, RUNS),
    Check("repeatable", images.check_repeatable, SIZES),
    Check("batch size", images.check_batches, (*SIZES, "repeatable")),
    Check("inputs", images.check_inputs, RUNS),
    Check("device", images.check_device, RUNS),
    Check("fit, again", building.check_fit_again, (*RUNS, "fit")),
    Check("state", building.check_state, (*SIZES, "fit")),
    Check("key", building.check_key, (*RUNS, "fit")),
    Check("target", images.check_target, RUNS, ATTACK),
    Check("parts", images.check_parts, RUNS, VICTIM),
    Check("gradient", images.check_gradient, RUNS, VICTIM),
    Check("speed", images.check_speed, RUNS),
)


def checks_for(kind: str) -> list[Check]:
    """Those that are for this kind."""
    return [check for check in CHECKS if kind in check.kinds]


def check_all(text: str, device: torch.device, progress: Progress) -> list[Verdict]:
    """Check all that `my.py:MyAttack` or a registered name means.

    Raises:
        UnknownNameError: If nothing has the name.
        CamobenchError: If a file cannot be loaded.
    """
    subjects = find_subjects(text, device)
    return together(found for subject in subjects for found in examine(subject, progress))


def examine(subject: Subject, progress: Progress) -> Iterator[Verdict]:
    """Run the checks of a subject, but for those that a failure leaves nothing to look at."""
    failed: list[str] = []
    about = f"checking {subject.kind} {subject.entry.spec.name}"
    for check in tracked(checks_for(subject.kind), about, progress):
        lacking = [one for one in failed if one in check.needs]
        if lacking:
            found = Verdict(check.name, "skip", f"not looked at, since {lacking[0]!r} failed")
        else:
            found = run_check(check, subject)
        if found.verdict == "fail":
            failed.append(check.name)
        yield found


def run_check(check: Check, subject: Subject) -> Verdict:
    """Run one check; whatever it raises is a failure with a place."""
    use_exact_fp32()
    try:
        with kept_global_state():
            return Verdict(check.name, "ok", check.run(subject))
    except FaultError as error:
        return Verdict(check.name, error.verdict, error.finding, error.remedy)
    except torch.OutOfMemoryError:
        found, remedy = "the device ran out of memory", "make it smaller, or check it on the CPU"
    except CamobenchError as error:
        said, _, remedy = str(error).rpartition("; ")
        found, remedy = said or str(error), remedy if said else "mend it"
    except (Exception, SystemExit) as error:
        if os.environ.get("CAMOBENCH_DEBUG"):
            traceback.print_exc()
        folders = {file.parent for file in subject.plugin.files} if subject.plugin else set()
        said = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        found = ": ".join(filter(None, [place_of(error, folders), said]))
        remedy = "mend it; CAMOBENCH_DEBUG=1 shows the traceback"
    return Verdict(check.name, "fail", found, remedy)


def together(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Neighbours that are skipped for one reason, in one line."""
    merged = []
    for key, group in groupby(verdicts, lambda one: (one.verdict, one.finding)):
        found = list(group)
        if key[0] == "skip":
            found = [replace(found[0], check=", ".join(one.check for one in found))]
        merged += found
    return merged
