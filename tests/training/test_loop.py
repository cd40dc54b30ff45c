import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bench.training.loop import run_steps, seeded_generator
from bench.types import CamobenchError
from tests.toys import Memory, Recorder, copied, fit_context, same_state


class Killed(BaseException):
    """Stands for Ctrl-C."""


class Training:
    """A small network with all kinds of state: batch norm, dropout, Adam, a schedule, a draw."""

    def __init__(self, context):
        torch.manual_seed(3)
        self.context = context
        layers = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 2)
        self.network = nn.Sequential(*layers)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.adam, 0.05, total_steps=61, cycle_momentum=True
        )
        self.generator = seeded_generator(context)
        self.kill_at, self.spoil, self.seen = None, {}, []

    def step(self, index):
        if index == self.kill_at:
            raise Killed
        self.seen.append(index)
        inputs = torch.randn(16, 4, generator=self.generator)
        loss = F.cross_entropy(self.network(inputs), (inputs[:, 0] > 0).long())
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.schedule.step()
        return {"loss": loss * self.spoil.get(index, 1.0), "index": torch.tensor(float(index))}

    def run(self, steps=50, **options):
        parts = {"network": self.network, "adam": self.adam, "schedule": self.schedule}
        return run_steps(
            "toy",
            steps,
            self.step,
            context=self.context,
            parts=parts,
            generator=self.generator,
            **options,
        )


def test_a_training_that_was_killed_on_another_type_of_device_begins_anew():
    memory = Memory()
    killed = Training(fit_context(snapshots=memory.snapshots()))
    killed.kill_at = 25
    with pytest.raises(Killed):
        killed.run()
    memory.save(memory.load() | {"generator": torch.zeros(16, dtype=torch.uint8)})  # CUDA's
    again = Training(fit_context(snapshots=memory.snapshots()))
    again.run()
    assert again.seen == [*range(50)]


@pytest.mark.parametrize("kill_at", [25, 47])
def test_a_killed_training_continues_to_the_same_bits(kill_at):
    whole = Training(fit_context())
    report = whole.run()

    memory = Memory()
    killed = Training(fit_context(snapshots=memory.snapshots()))
    killed.kill_at = kill_at
    with pytest.raises(Killed):
        killed.run()
    assert len(memory.saved) == kill_at // 20

    resumed = Training(fit_context(snapshots=memory.snapshots()))
    resumed.network.apply(lambda part: [w.data.zero_() for w in part.parameters()])
    again = resumed.run()
    assert resumed.seen[0] == kill_at // 20 * 20
    assert same_state(copied(whole.network), resumed.network.state_dict())
    assert torch.equal(whole.generator.get_state(), resumed.generator.get_state())
    assert whole.schedule.get_last_lr() == resumed.schedule.get_last_lr()
    assert again.curves == report.curves
    assert again.figures == report.figures


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_and_is_not_saved(factor):
    memory = Memory()
    training = Training(fit_context(snapshots=memory.snapshots()))
    training.spoil = {25: factor}
    with pytest.raises(CamobenchError, match=r"toy: loss became NaN or infinite by step 40; lower"):
        training.run()
    assert len(memory.saved) == 1
    assert memory.load()["step"] == 20


def test_progress_of_a_resumed_run_starts_where_it_was():
    memory = Memory()
    Training(fit_context(snapshots=memory.snapshots())).run(21)
    progress = Recorder()
    Training(fit_context(snapshots=memory.snapshots(), progress=progress)).run(50)
    assert (progress.done, sum(progress.units)) == (20, 30)


def test_a_generator_is_its_seed():
    drawn = torch.rand(8, generator=seeded_generator(fit_context(1)))
    known = torch.rand(8, generator=torch.Generator().manual_seed(1_000_003))
    assert torch.equal(drawn, known)  # shipped networks were trained from it
