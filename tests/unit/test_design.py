"""The rules of docs/explanation/design.md that a program can check: one place for colours and sizes, and contrasts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "src" / "agent_funnel" / "web" / "static"
PAGE = (STATIC / "page.css").read_text("utf-8")
# The first part of page.css defines the variables; the rules begin with the body.
VARIABLES, RULES = re.split(r"(?=^body \{)", PAGE, maxsplit=1, flags=re.MULTILINE)
OWN_LIST = (STATIC / "own_list.css").read_text("utf-8")
RAW = re.compile(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*[;}])|\b(?:rgb|rgba|hsl|hsla|oklch)\(|font-size: *[\d.]|font: *\d")
# What WCAG 2.2 AA asks of text, and of the parts of a chart:
TEXT, PART = 4.5, 3.0
TEXTS = ("ink", "muted", "accent", "good", "warn", "bad", "calm")
PARTS = ("data", "stage-1", "stage-2", "stage-3")
PAIRS = [
    *((text, paper, TEXT) for paper in ("paper", "wash") for text in TEXTS),
    *((part, paper, PART) for paper in ("paper", "wash") for part in PARTS),
    ("on-fill", "accent-fill", TEXT),
    ("on-fill", "bad-fill", TEXT),
    ("paper", "stage-2", TEXT),
    ("paper", "good", TEXT),
    ("on-toast", "toast", TEXT),
    ("toast-accent", "toast", TEXT),
]  # fmt: skip


def test_colours_and_sizes_of_type_are_variables() -> None:
    assert not [found[0] for text in (RULES, OWN_LIST) for found in RAW.finditer(text)]
    # The pattern finds those that there are.
    assert RAW.search(VARIABLES)


def test_every_variable_is_defined() -> None:
    defined = set(re.findall(r"(--[\w-]+):", PAGE + OWN_LIST))
    used = set(re.findall(r"var\((--[\w-]+)", PAGE + OWN_LIST))
    assert {name for name in used - defined if not name.startswith("--pico-")} == set()


def test_a_small_button_is_in_a_row_of_a_list_or_a_table() -> None:
    """So all buttons of a box have one size."""
    rows = 0
    for template in sorted((STATIC.parent / "templates").glob("*.html")):
        text = template.read_text("utf-8")
        for button in re.finditer(r'<button[^>]* class="[^"]*\bsmall\b', text):
            before = text[: button.start()]
            opened = len(re.findall(r"<(?:li|td)\b", before)) - len(re.findall(r"</(?:li|td)>", before))
            assert opened > 0, (template.name, before.count("\n") + 1)
            rows += 1
    assert rows > 5


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_and_charts_can_be_read_on_their_backgrounds(scheme: str) -> None:
    colours = _colours(scheme)
    found = [(one, other, _contrast(colours[one], colours[other]), least) for one, other, least in PAIRS]
    assert not [(one, other, round(ratio, 2)) for one, other, ratio, least in found if ratio < least]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_stages_are_steps_of_one_hue(scheme: str) -> None:
    """Each step of the calls differs from the one before about as much as from the next."""
    colours = _colours(scheme)
    first, second, third = (colours[f"stage-{stage}"] for stage in (1, 2, 3))
    assert _contrast(first, second) > 1.5
    assert _contrast(second, third) > 1.5
    assert _contrast(first, third) > _contrast(first, second)
    assert all(red < min(green, blue) for red, green, blue in (first, second, third))


def _colours(scheme: str) -> dict[str, tuple[int, ...]]:
    """The colours of a scheme, red, green and blue: the light ones, with those that the scheme replaces."""
    blocks = re.split(r"^@media (?=\(prefers-color-scheme: dark\)|print)", VARIABLES, flags=re.MULTILINE)
    wanted = [blocks[0], *(each for each in blocks[1:] if scheme in each.split("{")[0])]
    assert len(wanted) == (1 if scheme == "light" else 2)
    found: dict[str, tuple[int, ...]] = {}
    for block in wanted:
        for name, colour in re.findall(r"--([\w-]+): #([0-9a-f]{6});", block):
            found[name] = tuple(int(colour[place : place + 2], 16) for place in (0, 2, 4))
    return found


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The contrast of two colours, as WCAG measures it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
