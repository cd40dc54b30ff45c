"""What an attack and a victim are.

An author writes `transform` or `logits`, perhaps `fit`. The harness calls an attack, and checks a
victim's logits itself.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, final
from weakref import WeakSet

import torch
from torch import Tensor, nn

from bench import checks
from bench.contract.fitting import FitContext
from bench.contract.global_state import kept_random_numbers, random_numbers, seed_by
from bench.contract.specs import AttackSpec, Spec, VictimSpec
from bench.data import AdversarySet, ExaminerSet
from bench.recipes import Recipe
from bench.store import digest, file_digest
from bench.types import CamobenchError, FitReport, Json, as_json

SpecT = TypeVar("SpecT", bound=Spec)
_DRAWING: WeakSet[Any] = WeakSet()
"""Who was seen to draw random numbers: not among their attributes, which keys hash."""


class Participant(nn.Module, Generic[SpecT]):
    """A network, or something like one, with a spec.

    Args:
        spec: Overrides the class's own spec (one implementation, several specs).
        classes: In-distribution camera models by name; labels and targets index them.
        recipe: Training budget.
    """

    spec: SpecT
    rewritable: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold plain networks: once trained, the harness may put equal but faster ones
    in their place; a victim's backbone, from features to logits, may also compute in bf16."""

    def __init__(
        self,
        spec: SpecT | None = None,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__()
        if spec is not None:
            self.spec = spec
        self.classes = tuple(classes)
        self.recipe = recipe

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return getattr(type(self), "fit", None) not in (Attack.fit, Victim.fit)

    @property
    def hyperparameters(self) -> Mapping[str, Any]:
        """Whatever beside spec and recipe name shapes the results; hashed into the key.

        A `Path` stands for the content of that file, such as weights that were trained elsewhere;
        a relative one starts at the folder of the class's own file.
        """
        return {}

    @final
    def stated_hyperparameters(self) -> dict[str, Json]:
        """`hyperparameters` as keys and entries hold them: files by their SHA-256.

        Raises:
            CamobenchError: If a file that they name cannot be read, or no key can hold them.
        """
        try:
            found = {name: self._stated(value) for name, value in self.hyperparameters.items()}
            digest(found)
        except (TypeError, ValueError) as error:
            raise CamobenchError(
                f"no key can hold the `hyperparameters` of {self.spec.name} ({error}); state "
                "finite numbers and text"
            ) from error
        return found

    def _stated(self, value: Any) -> Json:
        if not isinstance(value, Path):
            return as_json(value)
        path = Path(inspect.getfile(type(self))).parent / value
        try:
            sha256 = file_digest(path)
        except OSError as error:
            raise CamobenchError(
                f"{self.spec.name} names {path} in its `hyperparameters`, which cannot be read "
                f"({error.strerror}); put the file there or name the right one"
            ) from error
        return {"file": path.name, "sha256": sha256}

    def _drawing_alike(
        self, run: Callable[..., Tensor], images: Tensor, targets: Tensor | None = None
    ) -> Tensor:
        """What `run` makes of a batch, or of each image alone where it draws random numbers."""
        with kept_random_numbers():
            if self not in _DRAWING:
                seed_by("")
                before = random_numbers(images.device)
                made = run(images, targets)
                if random_numbers(images.device) == before:
                    return made
                _DRAWING.add(self)
            sent = [None] * len(images) if targets is None else torch.split(targets, 1)
            alone = []
            for image, target in zip(torch.split(images, 1), sent, strict=True):
                pixels = hashlib.sha256(image.cpu().numpy().tobytes()).hexdigest()
                seed_by(pixels if target is None else f"{pixels} {int(target)}")
                alone.append(run(image, target))
            return torch.cat(alone)


class Attack(Participant[AttackSpec]):
    """A camera-model anonymiser.

    Subclasses set `spec` and write `transform`; trained ones write `fit` too and keep their
    networks as attributes, so that the state that `fit` leaves is what is stored.
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
        `torch.enable_grad()`. Random numbers of torch, NumPy and Python are seeded by image and
        target: one that draws them is handed an image at a time.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `transform`")

    @final  # type: ignore[misc]  # torch declares it as a writable attribute
    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        """Anonymise (N, 3, H, W) uint8 images into such, as a file would hold them.

        Raises:
            ValueError: If `transform` returns another shape, no floating-point tensor, or NaN or
                infinite values.
        """
        checks.require_images(images)
        name = self.spec.name
        if self.spec.targeted and (targets is None or targets.shape != images.shape[:1]):
            raise ValueError(f"{name} is targeted: expected {len(images)} `targets`")

        def run(some: Tensor, to: Tensor | None) -> Tensor:
            out = self.transform(checks.to_unit(some), None if to is None else to.clone())
            if not isinstance(out, Tensor) or not out.is_floating_point():
                raise ValueError(f"{name}: `transform` must return a floating-point tensor")
            if out.shape != some.shape:
                shapes = f"shape {tuple(out.shape)}, expected {tuple(some.shape)}"
                raise ValueError(f"{name}: `transform` returned {shapes}")
            checks.require_finite(out, f"{name}: the anonymised images")
            return checks.to_uint8(out)

        return self._drawing_alike(run, images, targets if self.spec.targeted else None)


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
        """Map (N, 3, H, W) float32 RGB in [0, 1] to (N, C) logits, in the order of `classes`."""
        return self.backbone(self.frontend(images))

    def forward(self, images: Tensor) -> Tensor:
        """Same as `logits`."""
        return self.logits(images)

    @final
    def checked_logits(self, images: Tensor, *, shape_alone: bool = False) -> Tensor:
        """Logits of (N, 3, H, W) in [0, 1], which stay as they are; random numbers are seeded.

        Raises:
            ValueError: As `require_logits`.
        """

        def run(some: Tensor, _: None) -> Tensor:
            return self.require_logits(
                self.logits(some.clone()), len(some), shape_alone=shape_alone
            )

        return self._drawing_alike(run, images)

    @final
    def require_logits(self, values: Tensor, count: int, *, shape_alone: bool = False) -> Tensor:
        """Check what `logits` or `backbone` returned for `count` images.

        Raises:
            ValueError: If it is no tensor of shape (count, C); or a value is NaN or infinite, which
                makes a processor wait for its device.
        """
        expected = (count, len(self.classes))
        given = tuple(values.shape) if isinstance(values, Tensor) else f"a {type(values).__name__}"
        if given != expected:
            raise ValueError(f"{self.spec.name}: expected logits of shape {expected}, got {given}")
        if not shape_alone:
            checks.require_finite(values, f"{self.spec.name}: the logits")
        return values
