"""Cama, the second version of Andrews, Zhang & Griffin (2020): a cGAN taught by two streams.

*Conditional Adversarial Camera Model Anonymization*, ECCV workshops 2020, arXiv:2002.07798v2.
Beside the discriminator, which reads prediction errors as in the first version, stands an
evaluator: the image is taken apart into the estimated residual, its high spatial frequencies, and
what is left, its low ones, and a ResNet-18 of each asks for the target. The generator reads the
image through a synthetic colour filter array (its "remosaiced" input, Menon 2007). With the
authors' weights

    L_gen = 10 L_1 + 1 L_adv + 0.005 L_low + 0.005 L_high

where L_1 is the mean absolute difference of images in [-1, 1], L_adv the least-squares loss of the
matching-aware discriminator. In the terms of this benchmark: LAACs low and wdf, an sCFA, and the
discriminator of Eq. 3.

Licence: our own code, MIT; the authors' is CC BY-NC 4.0, whose settings were read as facts.
Deviations: those of `attacks.cgan.attack` and of its recipes; both streams are trained on true
residuals and see estimated ones, where the authors train them on estimated ones too.
"""

from __future__ import annotations

from attacks.cgan.recipe import reweighted

PAPER = "Andrews, Zhang & Griffin 2020, second version (ECCV workshops)"
STREAMS = ("low", "wdf")
RECIPES = reweighted(adv=1.0, cnt=10.0, aux=0.005)
