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


def forget(*names):
    """As a new process begins: attacks by these names, and all files that were loaded."""
    ATTACKS.forget(names)
    plugin_files._loaded.clear()
    plugin_files._modules.clear()
