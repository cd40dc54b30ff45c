"""Plug-in files that several tests write, and a registry that forgets them again."""

import textwrap

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
