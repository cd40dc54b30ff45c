"""SiamTE (Chen, Xiong, Liu & Wu 2020): a network that erases what tells cameras apart.

*Camera Trace Erasing*, CVPR 2020, arXiv:2003.06951. Untargeted: images of different cameras go
through one network F, and three losses tell what shall become of them:

- embedded similarity: in the embedding of a camera classifier, erased images of different cameras
  shall be near to each other;
- truncated fidelity: a change of no more than a threshold is free, what exceeds it is not, so that
  traces may go and content may not;
- cross identity: the trace x_i - F(x_i) that was taken from one image, put onto the erased image
  of another, F(x_j), shall be erased again and leave F(x_j).

Here the embeddings are the logits of the three LAACs of the full method and distances are mean
absolute differences. The weights in `attacks.specs` follow from the sizes of the losses on Set-B of
`simcam-mini-v2`, where logits of different cameras lie 9 apart; no other weights were tried.

Licence: our own code, MIT. Deviations: the losses follow the paper's description in words, since
its formulas and weights were not at hand, so nothing here carries an equation number; the network
is the generator of `attacks.cgan` without targets, which starts as the identity, where the
authors' is a dilated denoising network; LAACs see erased images rounded to 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from attacks.cgan.averaged import AveragedGenerator, rounded, validated
from attacks.cgan.networks import Generator
from attacks.parametric import ParametricAttack
from attacks.specs import SIAMTE_BUDGETS
from bench.contract import AttackSpec, FitContext
from bench.data import AdversarySet
from bench.nets.johnson import channels_last
from bench.recipes import Recipe
from bench.training.classifier import as_input
from bench.training.loop import run_steps
from bench.training.patches import PatchSampler, open_stack
from bench.types import FitReport

LARGEST_CHANGE = 0.25
"""Of a [-1, 1] pixel."""


class SiamTe(ParametricAttack):
    """Erase camera traces; the constants weigh the losses, beside their `threshold_255`."""

    rewritable: ClassVar[tuple[str, ...]] = ("generator",)

    def __init__(
        self, spec: AttackSpec, *, classes: Sequence[str], recipe: Recipe, **constants: Any
    ) -> None:
        given = {**constants, **SIAMTE_BUDGETS[recipe.name]}
        super().__init__(spec, classes=classes, recipe=recipe, **given)
        self.generator = Generator(
            0,
            self.constants["width"],
            residual=True,
            resize=True,
            largest_change=LARGEST_CHANGE,
        )

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W)."""
        return erase(self.generator, images)

    def fit(self, data: AdversarySet, context: FitContext) -> FitReport:
        """Learn from patches of all cameras together; keeps the averaged network."""
        given, device = self.constants, context.device
        laacs = [context.surrogates[name] for name in self.spec.surrogates]
        self.generator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        sampler = PatchSampler.of_training(data, (open_stack(data.images, device),), context)
        averaged = AveragedGenerator(
            self.generator, given["steps"], lr=given["lr"], beta1=0.5, cosine=True, decay=0.995
        )

        def step(index: int) -> dict[str, Tensor]:
            (patches,), sources = sampler.draw(given["batch"])
            real = channels_last(as_input(patches))
            erased = erase(averaged.player, real)
            seen = rounded(erased)
            near = [embedded_similarity(laac.logits(seen), sources) for laac in laacs]
            losses = {
                "similarity": torch.stack(near).mean(),
                "fidelity": truncated_fidelity(real, erased, given["threshold_255"]),
                "identity": cross_identity(lambda x: erase(averaged.player, x), real, erased),
            }
            averaged.follow(sum(given[name] * loss for name, loss in losses.items()), index)
            return losses

        report = run_steps(
            self.spec.name,
            given["steps"],
            step,
            context=context,
            parts=averaged.parts,
            generator=sampler.generator,
        )
        return validated(self, report, data, context)


def erase(network: Callable[[Tensor, Tensor], Tensor], images: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1] through a generator that is told no target."""
    return (network(images * 2 - 1, images) + 1) / 2


def embedded_similarity(embedded: Tensor, cameras: Tensor) -> Tensor:
    """Mean distance between (N, D) embeddings of different (N,) cameras; 0 if all are of one."""
    apart = (embedded[:, None] - embedded).abs().mean(2)
    different = (cameras[:, None] != cameras).to(apart.dtype)
    return (apart * different).sum() / different.sum().clamp_min(1)


def truncated_fidelity(images: Tensor, erased: Tensor, threshold_255: float) -> Tensor:
    """Mean of what changes of [0, 1] images exceed a threshold by."""
    return ((erased - images).abs() - threshold_255 / 255).clamp_min(0).mean()


def cross_identity(eraser: Callable[[Tensor], Tensor], images: Tensor, erased: Tensor) -> Tensor:
    """Mean difference between an erased image and itself with the trace of another, erased again.

    Args:
        eraser: Maps (N, 3, H, W) images to erased ones.
        images: (N, 3, H, W); each lends its trace to the next one.
        erased: What the eraser makes of them.
    """
    traces = images - erased
    return (eraser(erased + traces.roll(1, 0)) - erased).abs().mean()
