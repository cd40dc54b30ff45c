import hashlib
from pathlib import Path

import numpy as np
import torch

from bench.jobs.scoring.items import AttackSource
from bench.jobs.scoring.scorer import Scorer
from bench.perf import reference
from bench.perf.reference import reference_loop
from tests.jobs.scoring.test_scorer import Shift, toys
from tests.smoke import CPU, toy_suite
from tests.toys import CLASSES

FROZEN = "880890bf849957a085022c9af3b8499f1038f7584beb5796415f32ca27f048ae"
"""SHA-256 of the file: ratios over a loop that has changed are other ratios."""


def test_the_loop_is_frozen():
    text = Path(reference.__file__).read_text(encoding="utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == FROZEN


def test_it_finds_what_the_runner_finds(tmp_path):
    suite = toy_suite(tmp_path, ("C",))
    models = suite.manifest("C")["model"]
    inside = [i for i, model in enumerate(models) if model in CLASSES]
    images = torch.from_numpy(suite.images("C")[inside])
    labels = [CLASSES.index(models[i]) for i in inside]
    found = reference_loop(Shift(), toys(), images, labels, len(CLASSES), device=CPU, batch=5)
    scored = Scorer(suite, CPU, 4).score(AttackSource(Shift()), toys(), inside)
    for name, rows in scored.predictions.items():
        assert [CLASSES[i] for i in found.predicted[name].tolist()] == list(rows["predicted"])
    psnr = torch.cat([part["psnr_db"] for part in found.distortions])
    np.testing.assert_allclose(psnr, scored.distortion["psnr_db"])
