"""SpoC (Cozzolino, Thies, Roessler, Niessner & Verdoliva 2021), as a conditional GAN.

*SpoC: Spoofing Camera Fingerprints*, CVPR workshops 2021, arXiv:1911.12069: a generator injects the
traces of a camera model into a remosaiced image, so as to fool a discriminator, to come close to
images of that model in the space of an embedder, and to keep the content. Andrews, Zhang & Griffin
(2020, second version) compare with it under their protocol, and so do we, in their settings: one
conditional generator for all targets; discriminator and classifier both read the image beside its
third-order finite differences along rows and columns; the classifier (a ResNet-18) stands for the
embedder;

    L_gen = 10 L_1 + 0.3 L_adv + 0.01 L_clf

with L_1 the mean absolute difference of images in [-1, 1] and least-squares adversarial losses.

Licence: our own code, MIT. Deviations from SpoC itself: those of that comparison, named above (the
original trains a generator a target, against an embedder trained on other cameras), and those of
`attacks.cgan.attack` and of its recipes.
"""

from __future__ import annotations

from attacks.cgan.recipe import CganVariant, reweighted

PAPER = "Cozzolino et al. 2021, as a cGAN by Andrews, Zhang & Griffin 2020 (second version)"
STREAMS = ("img-fd",)
RECIPES = reweighted(adv=0.3, cnt=10.0, aux=0.01)
VARIANT = CganVariant(differences=True)
