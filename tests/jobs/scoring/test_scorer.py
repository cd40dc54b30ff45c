import numpy as np
import pandas as pd
import pytest
import torch

from bench.contract import Attack, AttackSpec, Victim, VictimSpec
from bench.jobs.outcome import Trial
from bench.jobs.scoring.items import AttackSource
from bench.jobs.scoring.scorer import Scorer
from bench.metrics.lpips import load_lpips
from bench.records.frames import IMAGE, check_predictions
from tests.smoke import CPU, toy_suite
from tests.toys import CLASSES, ToyVictim

IDENTIFYING = [*IMAGE, "suite", "target"]
PROBABILITIES = ["p_source", "p_target", "p_predicted"]


class Shift(Attack):
    """Adds a number that depends on the target, not a whole one; remembers its batches."""

    spec = AttackSpec(name="shift")

    def __init__(self):
        super().__init__(classes=CLASSES)
        self.batches = []

    def transform(self, images, targets):
        self.batches.append(len(images))
        return images + (targets[:, None, None, None] * 20.3 + 3.3) / 255


class Darken(Attack):
    spec = AttackSpec(name="darken", targeted=False, control=True)

    def transform(self, images, targets):
        assert targets is None
        return images * 0.713


class Shared(Victim):
    """A front-end that several victims share, and counts; a backbone of its own."""

    calls = 0

    def __init__(self, name, digest="one"):
        super().__init__(VictimSpec(name=name), classes=CLASSES)
        torch.manual_seed(len(name))
        self.head = torch.nn.Linear(3, 3)
        self._digest = digest

    @property
    def frontend_digest(self):
        return self._digest

    def frontend(self, images):
        type(self).calls += 1
        return images.mean((2, 3)) * 9

    def backbone(self, features):
        return self.head(features)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return toy_suite(tmp_path_factory.mktemp("suite"), ("C",))


def toys():
    torch.manual_seed(3)
    return {name: ToyVictim(name).eval() for name in ("toy-a", "toy-b")}


def score(suite, attack, victims, batch=4, indices=range(8)):
    return Scorer(suite, CPU, batch).score(AttackSource(attack), victims, indices)


def naive(suite, attack, victim):
    """One image, one target, one victim at a time, in plain loops."""
    rows, manifest = [], suite.manifest("C")
    for pixels, row in zip(suite.images("C"), manifest.itertuples(), strict=True):
        targets = [t for t in CLASSES if t != row.model] if attack.spec.targeted else [None]
        for target in targets:
            original = torch.from_numpy(np.array(pixels))[None].float() / 255
            index = None if target is None else torch.tensor([CLASSES.index(target)])
            changed = attack.transform(original, index).double().numpy() * 255
            eight_bit = np.rint(np.clip(changed, 0, 255))
            logits = victim.logits(torch.from_numpy(eight_bit).float() / 255)[0]
            shares = (logits.double().exp() / logits.double().exp().sum()).tolist()
            rows.append(
                {
                    "suite": "toy-v1",
                    "split": row.split,
                    "image_id": row.image_id,
                    "photo_id": row.photo_id,
                    "scene": row.photo_id,
                    "device": row.device,
                    "source": row.model,
                    "target": target,
                    "predicted": CLASSES[int(np.argmax(shares))],
                    "p_source": shares[CLASSES.index(row.model)] if row.split == "in" else np.nan,
                    "p_target": np.nan if target is None else shares[CLASSES.index(target)],
                    "p_predicted": max(shares),
                    "psnr_db": 10
                    * np.log10(255**2 / ((eight_bit - pixels.astype(float)) ** 2).mean()),
                }
            )
    return pd.DataFrame(rows).astype({"target": "string"})


class Wrecker(Shared):
    """Writes into the images and the features that it is given."""

    def frontend(self, images):
        return super().frontend(images.mul_(0))

    def backbone(self, features):
        return super().backbone(features.fill_(1))


@pytest.mark.parametrize("digest", ["one", None])
def test_foreign_code_that_writes_into_its_input_costs_itself_alone(suite, digest):
    honest = {"toy-a": ToyVictim("toy-a"), "mine": Shared("mine")}
    alone = score(suite, Darken(), honest).predictions
    scorer = Scorer(suite, CPU, 4)
    scorer.foreign = {"wrecker"}
    victims = {"wrecker": Wrecker("wrecker", digest), **honest}
    beside = scorer.score(AttackSource(Darken()), victims, range(8)).predictions
    for name in honest:
        pd.testing.assert_frame_equal(beside[name], alone[name])
    assert beside["wrecker"]["p_predicted"].nunique() == 1


@pytest.mark.parametrize("batch", [1, 5, 64])
@pytest.mark.parametrize("attack", [Shift(), Darken()], ids=["targeted", "untargeted"])
def test_rows_are_those_of_a_naive_loop(suite, attack, batch):
    scored = score(suite, attack, toys(), batch=batch)
    for name, victim in toys().items():
        expected, found = naive(suite, attack, victim), scored.predictions[name]
        assert list(found.columns) == [*IDENTIFYING, "victim", "predicted", *PROBABILITIES]
        assert (found["victim"] == name).all()
        check_predictions(found.assign(attack=attack.spec.name))
        for column in (*IDENTIFYING, "predicted"):
            pd.testing.assert_series_equal(
                found[column].astype("string"), expected[column].astype("string")
            )
        for column in PROBABILITIES:
            np.testing.assert_allclose(found[column], expected[column], rtol=1e-4, atol=1e-6)
    assert list(scored.distortion.columns) == [*IDENTIFYING, "lpips", "psnr_db", "ssim"]
    np.testing.assert_allclose(scored.distortion["psnr_db"], expected["psnr_db"], rtol=1e-9)


def test_classes_are_matched_by_name(suite):
    order = ("other-x", "cam-c", "cam-a", "cam-b")
    plain, worldly = ToyVictim(), ToyVictim(classes=order)
    with torch.no_grad():
        worldly.network.load_state_dict(plain.network.state_dict())
        worldly.head.weight[1:] = plain.head.weight[[2, 0, 1]]
        worldly.head.bias[1:] = plain.head.bias[[2, 0, 1]]
        worldly.head.bias[0] = -1e9
    scored = score(suite, Shift(), {"plain": plain, "worldly": worldly}).predictions
    columns = ["predicted", "p_source", "p_target", "p_predicted"]
    pd.testing.assert_frame_equal(scored["plain"][columns], scored["worldly"][columns])


class Peek(Attack):
    """Notes who asked for what with whom, and writes what the batch lacks of an image into it."""

    spec = AttackSpec(name="peek")

    def __init__(self):
        super().__init__(classes=CLASSES)
        self.seen = []

    def transform(self, images, targets):
        names = [hash(image.numpy().tobytes()) for image in images]
        self.seen.append(list(zip(names, targets.tolist(), strict=True)))
        out = images.clone()
        for place, name in enumerate(names):
            asked = {target for other, target in self.seen[-1] if other == name}
            out[place, :, 0, 0] = sum(asked) / 255 if len(asked) > 1 else 0
        return out


@pytest.mark.parametrize("batch", [1, 3, 7, 64])
def test_nothing_about_a_batch_tells_the_source(suite, batch):
    peek = Peek()
    found = score(suite, peek, toys(), batch=batch)
    calls = [len(call) for call in peek.seen]
    asked = [pair for call in peek.seen for pair in call]
    assert len(set(asked)) == len(asked) == 8 * 3  # every image with every target, also its own
    assert max(calls) == min(batch, 8)
    for call in peek.seen:
        assert len({name for name, _ in call}) == len(call)  # no image twice
        assert len({target for _, target in call}) > (len(call) > 1)  # targets are mixed
    corner = score(suite, peek, {}, batch=1).distortion  # alone, it cannot tell
    pd.testing.assert_frame_equal(found.distortion, corner)
    assert len(found.distortion) == 6 * 2 + 2 * 3  # rows towards the own camera are dropped


def test_what_an_attack_is_asked_does_not_depend_on_the_labels(suite):
    asked = []
    for models in (["cam-a"] * 8, ["other-x"] * 8, list(suite.manifest("C")["model"])):
        peek, scorer = Peek(), Scorer(suite, CPU, 3)
        scorer.manifest = scorer.manifest.assign(model=models)
        scorer.score(AttackSource(peek), {}, range(8))
        asked.append(peek.seen)
    assert asked[0] == asked[1] == asked[2]


class Still(Attack):
    """Targeted, and yet changes nothing."""

    spec = AttackSpec(name="still")

    def transform(self, images, targets):
        return images


def test_a_shared_front_end_runs_once_a_batch(suite):
    victims = {name: Shared(name) for name in ("one", "three", "fifteen")}
    victims["other"] = Shared("other", digest="two")
    Shared.calls = 0
    scored = score(suite, Darken(), victims, batch=4)
    assert Shared.calls == 2 * 2  # two batches, two digests
    Shared.calls = 0
    alone = {name: Shared(name, digest=None) for name in victims}
    private = score(suite, Darken(), alone, batch=4)
    assert Shared.calls == 2 * 4
    for name in victims:
        pd.testing.assert_frame_equal(scored.predictions[name], private.predictions[name])


def test_lpips_sees_originals_and_what_was_made_of_them(suite):
    frame = score(suite, Shift(), {}, batch=3).distortion
    images, manifest = torch.from_numpy(suite.images("C")), suite.manifest("C")
    each = [manifest.index[manifest["image_id"] == image_id][0] for image_id in frame["image_id"]]
    targets = torch.tensor([CLASSES.index(target) for target in frame["target"]])
    expected = load_lpips(CPU)(images[each], Shift()(images[each], targets))
    np.testing.assert_allclose(frame["lpips"], expected, rtol=1e-4, atol=1e-6)
    assert expected.std() > 0


class Full(Still):
    """Runs out of memory on more than a given number of images."""

    limit = 2

    def transform(self, images, targets):
        if len(images) > self.limit:
            raise torch.OutOfMemoryError("out of memory")
        return images


def test_a_victim_that_never_fits_leaves_the_others_their_batch(suite):
    class Huge(ToyVictim):
        def logits(self, images):
            raise torch.OutOfMemoryError("out of memory")

    class Counted(ToyVictim):
        def logits(self, images):
            sizes.append(len(images))
            return super().logits(images)

    sizes, scorer = [], Scorer(suite, CPU, 4)
    scorer.trial = Trial(strict=False)
    victims = {"counted": Counted("counted"), "huge": Huge("huge")}
    found = scorer.score(AttackSource(Darken()), victims, range(8))
    assert list(found.predictions) == ["counted"]
    assert sizes == [4, 2, 1, 4, 3]  # tried in smaller batches, then the rest


def test_a_batch_that_does_not_fit_is_halved_and_changes_nothing(suite, monkeypatch):
    scorer = Scorer(suite, CPU, 7)
    found = scorer.score(AttackSource(Full()), toys(), range(8))
    assert scorer.batch == 1 < 7 // 2  # 7, 3, 1
    expected = score(suite, Still(), toys(), batch=1)
    pd.testing.assert_frame_equal(found.distortion, expected.distortion)
    for name, frame in expected.predictions.items():
        pd.testing.assert_frame_equal(found.predictions[name], frame)
    monkeypatch.setattr(Full, "limit", 0)
    with pytest.raises(torch.OutOfMemoryError):  # a single image that does not fit
        score(suite, Full(), toys())


class Gradient(Attack):
    """A step along the gradient of a network of its own."""

    spec = AttackSpec(name="gradient")

    def __init__(self):
        super().__init__(classes=CLASSES)
        self.surrogate = Shared("surrogate")

    def transform(self, images, targets):
        assert not torch.is_grad_enabled()
        with torch.enable_grad():
            images = images.requires_grad_()
            loss = torch.nn.functional.cross_entropy(self.surrogate.logits(images), targets)
            (gradient,) = torch.autograd.grad(loss, images)
        return images.detach() - 0.1 * gradient / gradient.abs().amax()


def test_an_attack_may_take_gradients(suite):
    """Under inference mode, autograd would refuse the images and the targets."""
    attack = Gradient().requires_grad_(False).eval()
    found = score(suite, attack, toys(), batch=1).distortion
    assert np.isfinite(found["psnr_db"]).all()
