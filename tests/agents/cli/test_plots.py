"""What is drawn is an SVG that any browser reads, whatever the figures and the names."""

from pathlib import Path
from xml.etree import ElementTree as ET

from agents.cli.plots import HEIGHT, draw
from agents.cli.svg import WIDTH

DATES = ["2024-01-01", "2024-01-02", "2024-01-03"]
QUANTILES = [(1.0, 2.0, 3.0, 4.0, 9.0), (2.0, 3.0, 4.0, 5.0, 8.0), (0.0, 0.0, 0.0, 0.0, 0.0)]


def drawn(path: Path, title: str, actual: list[float | None]) -> ET.Element:
    draw(path, title, DATES, actual, [1.5, 2.5, 0.0], QUANTILES)
    return ET.parse(path).getroot()  # noqa: S314 - made just now


def test_every_demand_that_came_is_a_dot_within_the_picture(tmp_path: Path) -> None:
    root = drawn(tmp_path / "a.svg", "TEA-01", [3.0, 1e9, None])
    dots = [element for element in root.iter() if element.tag.endswith("circle")]
    assert len(dots) == 2
    assert all(0 <= float(dot.attrib["cx"]) <= WIDTH and 0 <= float(dot.attrib["cy"]) <= HEIGHT for dot in dots)


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    root = drawn(tmp_path / "a.svg", "<script>&TEA", [0.0, 0.0, 0.0])
    assert "<script>&TEA" in [element.text for element in root.iter()]


def test_the_outer_dates_grow_inwards_so_that_none_is_cut(tmp_path: Path) -> None:
    root = drawn(tmp_path / "a.svg", "TEA-01", [1.0, 2.0, 3.0])
    anchors = {element.text: element.attrib["text-anchor"] for element in root.iter() if element.text in DATES}
    assert anchors == dict(zip(DATES, ("start", "middle", "end"), strict=True))


def test_nothing_sold_is_drawn_too(tmp_path: Path) -> None:
    draw(tmp_path / "a.svg", "nothing", DATES[:1], [None], [0.0], [(0.0,) * 5])
    assert "nan" not in (tmp_path / "a.svg").read_text()
