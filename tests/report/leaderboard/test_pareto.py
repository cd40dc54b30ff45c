import math

from bench.report.leaderboard.charts import pareto_front


def test_only_what_is_beaten_in_both_is_off_the_front():
    points = {
        "strong": (90.0, 28.0),
        "fair": (70.0, 31.0),
        "poor": (60.0, 30.0),
        "as-strong-and-worse": (90.0, 27.0),
        "gentle": (10.0, 40.0),
    }
    assert pareto_front(points) == ["gentle", "fair", "strong"]


def test_equals_are_both_on_it_and_infinity_is_a_fidelity():
    points = {"b": (50.0, 30.0), "a": (50.0, 30.0), "identity": (0.0, math.inf)}
    assert pareto_front(points) == ["identity", "a", "b"]


def test_nothing():
    assert pareto_front({}) == []
