"""Plots as SVG, written by hand: bars that compare, lines that grow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_COLORS = ("#0f766e", "#b45309", "#4338ca", "#be123c", "#4d7c0f", "#6b7280")
_WIDTH = 760
_LABEL = 250
_LINE = 20


def bars(
    title: str, groups: Mapping[str, Mapping[str, float]], *, is_logarithmic: bool = False
) -> str:
    """Draw a bar for each number.

    Args:
        title: above all.
        groups: numbers by label, by the heading of their group; ours are colored.
        is_logarithmic: whether the scale begins at the lowest power of ten, not at zero.
    """
    numbers = [number for group in groups.values() for number in group.values()]
    low, high = 0.0, max(numbers)
    if is_logarithmic:
        low = math.floor(math.log10(min(*numbers, 1)))
        high = math.ceil(math.log10(max(*numbers, 10)))
    scale = (_WIDTH - _LABEL - 60) / (high - low)
    parts: list[str] = []
    top = 50
    for heading, group in groups.items():
        parts.append(_text(10, top, heading, weight="bold"))
        top += _LINE
        for label, number in group.items():
            width = max(1, ((math.log10(number) if is_logarithmic else number) - low) * scale)
            color = _COLORS[0] if label.startswith("ours") else _COLORS[-1]
            parts.append(_text(_LABEL - 8, top, label, anchor="end"))
            parts.append(
                f'<rect x="{_LABEL}" y="{top - 12}" width="{width:.1f}" height="14"'
                f' fill="{color}"/>'
            )
            parts.append(_text(_LABEL + width + 6, top, f"{number:.3g}"))
            top += _LINE
        top += _LINE // 2
    return _svg(title, parts, top)


def lines(title: str, x_title: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw a line for each of *series*, both axes from zero.

    Args:
        title: above all.
        x_title: what the points' first number is.
        series: points by label.
    """
    points = [point for line in series.values() for point in line]
    right, height, left, top = _WIDTH - 40, 300, 70, 50 + _LINE * len(series)
    most_x, most_y = (_round_above(max(point[axis] for point in points)) for axis in (0, 1))
    parts = [
        f'<path d="M{left} {top}V{top + height}H{right}" fill="none" stroke="#9ca3af"/>',
        _text(right, top + height + 36, x_title, anchor="end"),
    ]
    for quarter in range(5):
        x = left + (right - left) * quarter / 4
        y = top + height - height * quarter / 4
        parts.append(_text(x, top + height + 16, f"{most_x * quarter / 4:.3g}", anchor="middle"))
        parts.append(_text(left - 8, y + 4, f"{most_y * quarter / 4:.3g}", anchor="end"))
    for index, (label, line) in enumerate(series.items()):
        color = _COLORS[index % len(_COLORS)]
        path = " ".join(
            f"{left + (right - left) * x / most_x:.1f},{top + height - height * y / most_y:.1f}"
            for x, y in line
        )
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(
            f'<rect x="10" y="{40 + _LINE * index}" width="14" height="10" fill="{color}"/>'
        )
        parts.append(_text(30, 50 + _LINE * index, label))
    return _svg(title, parts, top + height + 50)


def _round_above(number: float) -> float:
    """Return the next number that has nice quarters."""
    power = 10 ** math.floor(math.log10(number))
    return next(step * power for step in (1, 2, 4, 6.4, 8, 10) if step * power >= number)


def _svg(title: str, parts: Sequence[str], height: float) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}"'
        ' font-family="system-ui, sans-serif" font-size="12">'
    )
    background = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return "\n".join([head, background, _text(10, 24, title, weight="bold"), *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
        f' fill="#111827">{escape(text)}</text>'
    )
