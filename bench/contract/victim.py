"""The base class of attribution classifiers: `logits`, or the split `frontend` and `backbone`."""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor, nn

from bench import checks
from bench.contract.fitting import FitContext
from bench.contract.participant import Participant
from bench.contract.specs import VictimSpec
from bench.data import AdversarySet, ExaminerSet
from bench.types import FitReport


class Victim(Participant[VictimSpec]):
    """A camera-model attribution classifier.

    Subclasses set `spec` and write `logits`, or the split `frontend` and `backbone`: then
    everything with the same `frontend_digest` shares one computation of the front-end.
    """

    shared_prefixes: ClassVar[tuple[str, ...]] = ()
    """Prefixes of state that another artifact holds, left out of this one's checkpoint."""

    @property
    def frontend_digest(self) -> str | None:
        """Equal digests mean equal front-ends; `None` keeps the front-end private."""
        return None

    def attach(self, residual_estimator: nn.Module, digest: str | None) -> None:
        """Receive the residual estimator that the spec's `residual` asks for.

        Args:
            residual_estimator: Maps images in [0, 1] to residuals in grey levels.
            digest: Of its weights, where all victims of a set share it; `None` keeps it private.
        """
        raise NotImplementedError(f"{type(self).__name__} does not take a residual estimator")

    def fit(self, data: ExaminerSet | AdversarySet, context: FitContext) -> FitReport:
        """Learn from Set-A; as a surrogate, from Set-B. The default has nothing to learn."""
        return FitReport()

    def frontend(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 1] to features; the default changes nothing."""
        return images

    def backbone(self, features: Tensor) -> Tensor:
        """Map features to (N, C) logits."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `logits` nor `backbone`")

    def logits(self, images: Tensor) -> Tensor:
        """Classify.

        Args:
            images: (N, 3, H, W) float32 RGB in [0, 1].

        Returns:
            (N, C) logits, columns in the order of `classes`.
        """
        return self.backbone(self.frontend(images))

    def forward(self, images: Tensor) -> Tensor:
        """Same as `logits`."""
        return self.logits(images)

    @final
    def shaped_logits(self, values: Tensor, count: int) -> Tensor:
        """Check the shape of what `logits` or `backbone` returned for `count` images.

        Raises:
            ValueError: If it is not (count, C).
        """
        expected = (count, len(self.classes))
        if tuple(values.shape) != expected:
            raise ValueError(
                f"{self.spec.name}: expected logits of shape {expected}, got {tuple(values.shape)}"
            )
        return values

    @final
    def checked_logits(self, values: Tensor, count: int) -> Tensor:
        """Check what `logits` or `backbone` returned for `count` images.

        Raises:
            ValueError: If the shape is not (count, C) or a value is NaN or infinite.
        """
        self.shaped_logits(values, count)
        checks.require_finite(values, f"{self.spec.name}: the logits")
        return values

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return type(self).fit is not Victim.fit
