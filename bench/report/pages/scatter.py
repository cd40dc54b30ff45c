"""Where labels stand in a chart so that they cover neither each other nor a mark."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 46, 150, 14, 44
LABEL_PX, LETTER_PX, MARK_PX = 14, 7.6, 6
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def place_labels(
    points: Mapping[str, tuple[float, float]], bars: Sequence[Box] = ()
) -> dict[str, Box]:
    """Boxes of labels near their marks that cover no mark, no bar and no other label.

    Args:
        points: Name to the pixels of its mark.
        bars: What else labels keep clear of.
    """
    taken = [(x - MARK_PX, y - MARK_PX, x + MARK_PX, y + MARK_PX) for x, y in points.values()]
    taken += bars
    placed: dict[str, Box] = {}
    for name, (x, y) in sorted(points.items(), key=lambda item: (item[1][1], item[0])):
        width = LETTER_PX * len(name)
        for left, middle in _places(x, y, width):
            box = left, middle - LABEL_PX / 2, left + width, middle + LABEL_PX / 2
            if _is_inside(box) and not any(overlap(box, other) for other in taken):
                break
        placed[name] = box
        taken.append(box)
    return placed


def _places(x: float, y: float, width: float) -> Iterator[tuple[float, float]]:
    """Left ends and heights of a label: beside its mark, then farther, then anywhere."""
    beside = x + MARK_PX + 3, x - MARK_PX - 3 - width, x - width / 2
    for far in range(0, HEIGHT // 2, 3):
        for left, middle in product(beside, (y - far, y + far)):
            yield left, middle
    for far in range(0, WIDTH, 8):
        for left, middle in product((beside[0] + far, beside[1] - far), range(TOP, HEIGHT, 4)):
            yield left, middle


def _is_inside(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH and box[1] >= TOP and box[3] <= HEIGHT - BOTTOM


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes cover each other."""
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]
