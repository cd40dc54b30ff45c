"""The augmented conditional GAN of Andrews et al. (2020), Eqs. 2-7; one code for all its rows.

L_gen = lambda_adv L_adv + lambda_cnt L_cnt + lambda_aux (sum of the LAACs' losses), least-squares
GAN losses, a matching-aware discriminator that also sees real images with wrong labels. A row is a
choice of LAACs and of a synthetic CFA before the generator; the preliminary findings change the
networks too (`CganVariant`).

Deviations, all in `CganRecipe` and all off in the `paper` recipe: a generator that starts as the
identity and changes a pixel by no more than it is allowed, resize-convolutions, a discriminator
whose labels enter last, weight averaging, cosine annealing, 8-bit rounding inside training, LAACs
that see random symmetries of the images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attacks.cgan.averaged import AveragedGenerator, adam, annealing, rounded, validated
from attacks.cgan.networks import build_discriminator, build_generator
from attacks.cgan.recipe import CGAN_RECIPES, CganRecipe, CganVariant, cgan_recipe
from bench.contract import Attack, AttackSpec, FitContext
from bench.data import AdversarySet
from bench.nets.johnson import channels_last
from bench.recipes import Recipe
from bench.signal.cfa import synthetic_cfa
from bench.training.classifier import as_input
from bench.training.loop import run_steps
from bench.training.patches import PatchSampler, apply_d4, open_stack
from bench.types import FitReport


class CganAttack(Attack):
    """Targeted anonymisation by a conditional generator."""

    rewritable: ClassVar[tuple[str, ...]] = ("generator",)

    def __init__(
        self,
        spec: AttackSpec,
        *,
        classes: Sequence[str],
        recipe: Recipe,
        variant: CganVariant | None = None,
        recipes: Mapping[str, CganRecipe] = CGAN_RECIPES,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.budget = cgan_recipe(recipe.name, recipes)
        self.variant = variant or CganVariant()
        self.generator = build_generator(len(classes), self.budget, self.variant)

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Generate; any size, since the network pads and crops."""
        if targets is None:
            raise ValueError(f"{self.spec.name} needs `targets`")
        out: Tensor = (self.generator(self._prepare(images) * 2 - 1, targets) + 1) / 2
        return out

    def _prepare(self, images: Tensor) -> Tensor:
        return synthetic_cfa(images).clamp(0, 1) if self.spec.scfa else images

    def fit(self, data: AdversarySet, context: FitContext) -> FitReport:
        """Play the augmented game on Set-B patches; keeps the (averaged) generator."""
        budget, device = self.budget, context.device
        laacs = [context.surrogates[name] for name in self.spec.surrogates]
        judge = build_discriminator(len(self.classes), budget, self.variant)
        for network in (self.generator, judge, *laacs):
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        sampler = PatchSampler.of_training(data, (open_stack(data.images, device),), context)
        generator, steps = sampler.generator, sampler.steps(budget)
        batch = budget.batch * (len(self.classes) if self.variant.per_target else 1)
        averaged = AveragedGenerator(
            self.generator,
            steps,
            lr=budget.generator_lr,
            beta1=budget.beta1,
            cosine=budget.cosine,
            decay=budget.average,
        )
        adam_d = adam(judge, budget.discriminator_lr, budget.beta1)
        schedule_d = annealing(adam_d, steps, budget.cosine)

        def turned(images: Tensor) -> Tensor:
            element = torch.randint(8, (batch,), generator=generator, device=device)
            return apply_d4(images, element)

        def step(index: int) -> dict[str, Tensor]:
            (patches,), sources = sampler.draw(batch)
            targets = other_classes(sources, len(self.classes), generator)
            real = channels_last(as_input(patches))
            fake = (averaged.player(self._prepare(real) * 2 - 1, targets) + 1) / 2
            seen = rounded(fake) if budget.rounded else fake

            loss_d = discriminator_loss(judge, real, seen.detach(), sources, targets)
            adam_d.zero_grad(set_to_none=True)
            loss_d.backward()  # type: ignore[no-untyped-call]
            adam_d.step()
            schedule_d.step()

            judge.requires_grad_(False)
            loss_adv = (judge(seen * 2 - 1, targets) - 1).square().mean()
            judge.requires_grad_(True)
            loss_cnt = 2 * (fake - real).abs().mean()  # in units of [-1, 1] images
            loss_aux = [
                F.cross_entropy(laac.logits(turned(seen) if budget.symmetries else seen), targets)
                for laac in laacs
            ]
            total = budget.lambda_adv * loss_adv + budget.lambda_cnt * loss_cnt
            if loss_aux:
                total = total + budget.lambda_aux * torch.stack(loss_aux).sum()
            averaged.follow(total, index)
            named = {f"aux_{n}": v for n, v in zip(self.spec.surrogates, loss_aux, strict=True)}
            return {"adv": loss_adv, "dis": loss_d, "cnt": loss_cnt, **named}

        report = run_steps(
            self.spec.name,
            steps,
            step,
            context=context,
            parts={**averaged.parts, "judge": judge, "adam_d": adam_d, "schedule_d": schedule_d},
            generator=generator,
        )
        return validated(self, report, data, context)


def discriminator_loss(
    judge: nn.Module, real: Tensor, fake: Tensor, sources: Tensor, targets: Tensor
) -> Tensor:
    """Eq. 3, matching-aware: real and matching is 1; fake, or real with a wrong label, is 0.

    The latter two share the weight of the one in Eq. 3 (Reed et al. 2016, algorithm 1).

    Args:
        judge: Discriminator of [-1, 1] images.
        real: (N, 3, H, W) in [0, 1].
        fake: (N, 3, H, W) in [0, 1].
        sources: (N,) true labels of `real`.
        targets: (N,) other labels.
    """
    matching = (judge(real * 2 - 1, sources) - 1).square().mean()
    generated = judge(fake * 2 - 1, targets).square().mean()
    mismatched = judge(real * 2 - 1, targets).square().mean()
    loss: Tensor = matching + 0.5 * (generated + mismatched)
    return loss


def other_classes(sources: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Draw a target other than the source for each element, every other class equally likely."""
    shift = torch.randint(1, classes, sources.shape, generator=generator, device=generator.device)
    return (sources + shift) % classes
