import numpy as np
import torch

from bench.contract import Attack, AttackSpec
from bench.data import ExaminerSet
from bench.jobs.aware import NOISE_LEVELS, aware_set
from bench.plan.graph import plan
from bench.recipes import SMOKE
from tests.smoke import CPU, ToySource, toy_session
from tests.toys import camera_set


class Stamp(Attack):
    """Writes each image's target into its first pixel."""

    spec = AttackSpec(name="stamp")
    calls = 0

    def transform(self, images, targets):
        self.calls += 1
        stamped = images.clone()
        stamped[:, :, 0, 0] = targets[:, None] / 255
        return stamped


def test_every_image_comes_as_it_is_with_noise_and_as_each_attack_made_it(tmp_path):
    data, stamp = camera_set(ExaminerSet, 30), Stamp()
    folder = tmp_path / "data" / "suite" / "A"
    made = aware_set(data, {"key": stamp}, folder, CPU)
    learnt = ~data.validation
    images, labels, count = data.images[learnt], data.labels[learnt], len(data.images)
    noisy, stamped = made.images[count:].reshape(2, *images.shape)
    assert (made.images[:count] == data.images).all()
    noise = noisy.astype(float) - images
    assert abs(noise.std() - NOISE_LEVELS) < 0.1
    assert abs(noise.mean()) < 0.05
    assert (stamped[..., 1:] == images[..., 1:]).all()
    targets = stamped[:, 0, 0, 0]
    assert (targets != labels).all()
    assert {(s, t) for s, t in zip(labels, targets, strict=True)} == {
        (s, t) for s in range(3) for t in range(3) if s != t
    }
    assert (made.labels[count:].reshape(2, -1) == labels).all()
    assert (made.labels[:count] == data.labels).all()
    assert (made.validation[:count] == data.validation).all()
    assert not made.validation[count:].any()  # what is told of it is of untouched images
    calls = stamp.calls
    again = aware_set(data, {"key": stamp}, folder, CPU)
    assert (again.images == made.images).all()
    assert stamp.calls == calls
    other = aware_set(data, {"other key": stamp}, folder, CPU)
    assert stamp.calls > calls
    assert not (other.images == made.images).all()


class Grain(Attack):
    spec = AttackSpec(name="grain")

    def transform(self, images, targets):
        return images + 0.1 * torch.rand_like(images)


def test_who_asks_first_shapes_nothing_and_draws_on_as_if_nobody_had(tmp_path):
    data, made = camera_set(ExaminerSet, 12), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        folder = tmp_path / str(seed) / "A"
        made.append(aware_set(data, {"key": Grain()}, folder, CPU).images)
        assert torch.equal(torch.get_rng_state(), before)
    assert (made[0] == made[1]).all()


def planned(*victims, **more):
    return plan(ToySource().card, SMOKE, attacks=[], victims=victims, **more)


def test_a_victim_is_trained_after_the_attacks_it_is_aware_of_and_holds_none(tmp_path):
    session = toy_session(tmp_path, victims=["img-resnet18-aware", "img-resnet18"])
    graph, shelf, suite = session.graph, session.shelf, session.place.suite
    ran = [(job.kind, job.name) for job in session.train()]
    assert ran[-1] == ("victim", "img-resnet18-aware")
    assert {("attack", "mislgan"), ("attack", "mi-fgsm"), ("victim", "img-resnet18")} < set(ran)
    found = shelf.find("victim", "img-resnet18-aware", graph.victims["img-resnet18-aware"])
    plain = shelf.find("victim", "img-resnet18", graph.victims["img-resnet18"])
    assert found.card["needs"] == list(graph.known.values())
    assert list(graph.known) == ["jpeg", "median", "gaussian-blur", "mi-fgsm", "mislgan"]
    assert found.weights.stat().st_size == plain.weights.stat().st_size
    (kept,) = suite.folder.glob("A-*/images.npy")
    learnt = sum(suite.manifest("A")["partition"] == "train")
    assert len(np.load(kept)) == len(suite.manifest("A")) + 6 * learnt
    assert session.train() == []


def test_its_key_follows_the_attacks_and_no_other_victims_does():
    one, other = (planned("pef-resnet18", "pef-resnet18-aware", attack_seed=s) for s in (0, 1))
    assert one.victims["pef-resnet18"] == other.victims["pef-resnet18"]
    assert one.victims["pef-resnet18-aware"] != other.victims["pef-resnet18-aware"]
