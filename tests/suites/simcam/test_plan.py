from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.suites.simcam import derive_seed
from bench.suites.simcam.plan import SIMCAM_12, SIMCAM_MINI, plan
from bench.suites.simcam.scenes import render_scene
from bench.types import SETS


@pytest.fixture(scope="module")
def sets():
    return {name: plan(SIMCAM_MINI, name) for name in SETS}


def test_all_models_photograph_the_same_scenes(sets):
    for name in SETS:
        scenes = {}
        for shot in sets[name]:
            scenes.setdefault(shot.model, []).append((shot.scene, shot.partition))
        assert len({tuple(taken) for taken in scenes.values()}) == 1


def test_simcam12_has_the_counts_of_the_papers_table_1():
    patches = {"A": (48960, 21440, 21120, 22912, 24256, 18944)}
    patches["B"] = (48640, 20736, 22528, 22080, 23936, 22592)
    for set_name, expected in patches.items():
        shots = Counter(shot.model for shot in plan(SIMCAM_12, set_name))
        assert tuple(64 * shots[model] for model in SIMCAM_12.models_in) == expected
    evaluation = Counter(shot.model for shot in plan(SIMCAM_12, "C"))
    assert set(evaluation.values()) == {100}
    assert len(evaluation) == 12


def test_the_fingerprint_tells_specs_apart():
    assert SIMCAM_MINI.fingerprint() == replace(SIMCAM_MINI).fingerprint()
    for change in ({"seed": 1}, {"image_px": 64}, {"images_c": 5}, {"models_out": ("simcam-10",)}):
        assert replace(SIMCAM_MINI, **change).fingerprint() != SIMCAM_MINI.fingerprint()


def test_content_does_not_tell_the_class():
    spec = replace(SIMCAM_MINI, images_a=(70, 50, 60), images_c=30)
    thumbnails = {}

    def features(name):
        rows, labels = [], []
        for shot in plan(spec, name):
            if shot.split == "out":
                continue
            if shot.scene not in thumbnails:
                radiance = np.log(
                    render_scene(derive_seed(spec.seed, "scene", shot.scene), 32) + 1e-3
                )
                small = radiance.reshape(3, 4, 8, 4, 8).mean((2, 4))
                thumbnails[shot.scene] = np.concatenate([small.ravel(), radiance.std((1, 2))])
            rows.append(thumbnails[shot.scene])
            labels.append(shot.model)
        return np.array(rows), labels

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    classifier.fit(*features("A"))
    assert classifier.score(*features("C")) < 0.45  # chance is 1/3
