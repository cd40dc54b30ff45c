"""Plug-in files that several tests write, and a registry that forgets them again."""

import textwrap

from bench.contract import ATTACKS, plugin_files

MADE = """
    import camobench


    def victim(title, behaviour, **more):
        spec = camobench.VictimSpec(name=title, front_end="img", backbone=title)
        logits = lambda self, images: behaviour(images)
        return type(title, (camobench.Victim,), {"spec": spec, "logits": logits, **more})


    def attack(title, behaviour, **more):
        spec = camobench.AttackSpec(name=title, targeted=False)
        transform = lambda self, images, targets: behaviour(images)
        return type(title, (camobench.Attack,), {"spec": spec, "transform": transform, **more})

"""
"""Stands before a file that makes its classes of what they do."""
FOG = """
    import camobench

    class Fog(camobench.Attack):
        spec = camobench.AttackSpec(name="fog", targeted=False)

        def transform(self, images, targets):
            return 0.9 * images + 0.1
"""
MEAN = """
    import camobench

    class Mean(camobench.Victim):
        spec = camobench.VictimSpec(name="mean-colour", front_end="colour")

        def logits(self, images):
            return images.mean((2, 3))[:, : len(self.classes)]
"""


def write(path, text):
    """Write a plug-in file, without the indentation that it has in a test."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


LEARNING = """
    import os

    import torch

    import camobench
    from bench.types import FitReport

    class Haze(camobench.Attack):
        spec = camobench.AttackSpec(name="haze", targeted=False)

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            self.haze = torch.nn.Parameter(torch.zeros(1))

        def fit(self, data, context):
            self.haze.data.fill_(float(data.images.mean()) / 255)
            return FitReport()

        def transform(self, images, targets):
            return 0.9 * images + 0.1 * self.haze

    class Nearest(camobench.Victim):
        spec = camobench.VictimSpec(name="nearest-mean", front_end="colour")

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            self.register_buffer("means", torch.zeros(len(classes), 3))

        def fit(self, data, context):
            images = torch.from_numpy(data.images).float() / 255
            for label in range(len(self.classes)):
                chosen = images[torch.from_numpy(data.labels) == label]
                self.means[label] = chosen.mean((0, 2, 3))
            return FitReport()

        def logits(self, images):
            return -torch.cdist(images.mean((2, 3)), self.means)
"""


def forget(*names):
    """As a new process begins: attacks by these names, and all files that were loaded."""
    ATTACKS.forget(names)
    plugin_files._loaded.clear()
    plugin_files._modules.clear()
