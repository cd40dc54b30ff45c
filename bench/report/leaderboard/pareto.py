"""The Pareto front of success against distortion: attacks that no other one beats in both."""

from collections.abc import Mapping


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names on the front, from the least distortion to the most.

    Args:
        points: Name to (success, fidelity); of both more is better, and fidelity may be infinite.

    Returns:
        Every name that no other one equals in one figure and surpasses in the other, or surpasses
        in both. Equal points are all on the front.
    """

    def beaten(name: str) -> bool:
        success, fidelity = points[name]
        return any(
            s >= success and f >= fidelity and (s > success or f > fidelity)
            for other, (s, f) in points.items()
            if other != name
        )

    front = [name for name in points if not beaten(name)]
    return sorted(front, key=lambda name: (-points[name][1], -points[name][0], name))
