import io

from rich.console import Console

from bench import console
from bench.console import BarProgress, PlainProgress, fitted_table, shown_progress
from bench.types import Silent


def test_a_long_task_says_every_quarter_of_a_minute_how_long_it_will_take(monkeypatch):
    stream = io.StringIO()
    progress = PlainProgress(Console(file=stream, width=40))
    monkeypatch.setattr(console.time, "monotonic", lambda: 0.0)
    progress.start("training", 100)
    for half_seconds in range(1, 101):
        monkeypatch.setattr(console.time, "monotonic", lambda now=half_seconds / 2: now)
        progress.advance(loss=0.123456)
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "  training: 30/100, 35 s left loss 0.123",
        "  training: 60/100, 20 s left loss 0.123",
        "  training: 90/100, 5 s left loss 0.123",
        "✓ training 50 s",
    ]


def test_the_progress_fits_the_place():
    pipe = Console(file=io.StringIO())
    with shown_progress(pipe) as progress:
        assert isinstance(progress, PlainProgress)
    with shown_progress(pipe, quiet=True) as progress:
        assert isinstance(progress, Silent)


def test_bars_in_a_terminal():
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=100)
    with shown_progress(terminal) as progress:
        assert isinstance(progress, BarProgress)
        progress.start("training", 4)
        progress.advance(2, loss=0.5)
        beside = progress.fork()
        beside.start("other", 1)
        beside.advance()
        beside.finish()
        progress.finish()
        progress.advance()  # late reports of a worker do no harm
        progress.finish()
    text = stream.getvalue()
    assert "loss 0.5" in text
    assert "✓" in text
    assert text.index("other", text.index("✓")) > 0


def test_a_table_fits_the_terminal_and_is_no_markup():
    stream = io.StringIO()
    rows = [{"check": "a", "verdict": "fail", "finding": "[bold] " + "word " * 20, "rest": None}]
    Console(file=stream, width=40).print(fitted_table(rows))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert len(lines) > 3
    assert "[bold] word" in stream.getvalue()
    assert "None" not in stream.getvalue()


def test_what_is_printed_beside_a_bar_goes_where_it_is_piped_to(capsys):
    with shown_progress(Console(file=io.StringIO(), force_terminal=True)) as progress:
        progress.start("photographs", 2)
        print("one.png")
    assert capsys.readouterr().out == "one.png\n"
