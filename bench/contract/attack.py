"""The base class of anonymisers: an author writes `transform`, the harness calls the attack."""

from __future__ import annotations

from typing import Any, final

from torch import Tensor

from bench import checks
from bench.contract.fitting import FitContext
from bench.contract.participant import Participant
from bench.contract.specs import AttackSpec
from bench.data import AdversarySet
from bench.types import FitReport


class Attack(Participant[AttackSpec]):
    """A camera-model anonymiser.

    Subclasses set `spec` and write `transform`; trained ones write `fit` too and keep their
    networks as attributes, so that the state that `fit` leaves is what is stored.

    Args:
        spec: Overrides the class's own spec (one implementation, several specs).
        classes: In-distribution camera models by name; targets index them.
        recipe: Training budget.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__call__" in vars(cls):
            raise TypeError(
                f"{cls.__name__} overrides `__call__`, which checks and rounds; write `transform`"
            )

    def fit(self, data: AdversarySet, context: FitContext) -> FitReport:
        """Learn from Set-B; the default has nothing to learn."""
        return FitReport()

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Anonymise.

        Args:
            images: (N, 3, H, W) float32 RGB in [0, 1], exact multiples of 1/255.
            targets: (N,) int64 positions in `classes`; `None` for an untargeted attack.

        Returns:
            (N, 3, H, W) in [0, 1]; what lies outside is clipped.

        Called under `torch.no_grad()`; a method that needs a surrogate's gradients opens
        `torch.enable_grad()`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `transform`")

    @final  # type: ignore[misc]  # torch declares it as a writable attribute
    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        """Anonymise uint8 images into uint8 images, as a file would hold them.

        Args:
            images: (N, 3, H, W) uint8.
            targets: (N,) int64, or `None` for an untargeted attack.

        Returns:
            (N, 3, H, W) uint8.

        Raises:
            ValueError: If `transform` returns another shape, no floating-point tensor, or NaN or
                infinite values.
        """
        checks.require_images(images)
        if self.spec.targeted and (targets is None or targets.shape != images.shape[:1]):
            raise ValueError(f"{self.spec.name} is targeted: expected {len(images)} `targets`")
        out = self.transform(checks.to_unit(images), targets if self.spec.targeted else None)
        if not isinstance(out, Tensor) or not out.is_floating_point():
            raise ValueError(f"{self.spec.name}: `transform` must return a floating-point tensor")
        if out.shape != images.shape:
            raise ValueError(
                f"{self.spec.name}: `transform` returned shape {tuple(out.shape)}, "
                f"expected {tuple(images.shape)}"
            )
        checks.require_finite(out, f"{self.spec.name}: the anonymised images")
        return checks.to_uint8(out)

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return type(self).fit is not Attack.fit
