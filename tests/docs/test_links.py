"""Every link of the pages leads to a file that is there, and to a heading that the file has."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
        *(ROOT / "bench").rglob("*.md"),
    ]
)
INLINE = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
ELSEWHERE = re.compile(r"^[a-z][a-z+.-]*:")
"""With a scheme: on the web, which no test asks."""


@cache
def prose(page: Path) -> str:
    """A page without its code."""
    text = re.sub(
        r"^( *)(`{3,}|~{3,}).*?^ *\2`*\s*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()]", "", code[0]), text)


@cache
def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings, and anchors that are set by hand."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)? *$", prose(page), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        base = re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-")
        number = next(n for n in range(1000) if (f"{base}-{n}" if n else base) not in found)
        found.add(f"{base}-{number}" if number else base)
    return found | set(re.findall(r"<a (?:name|id)=\"([^\"]+)\"", page.read_text(encoding="utf-8")))


def problem(page: Path, link: str) -> str | None:
    """What is wrong with a link of a page."""
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT):
        return f"{link} leads out of the project"
    if not target.exists():
        return f"{link} leads to nothing"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{link}: {target.relative_to(ROOT)} has no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = prose(page)
    links = [link for link in INLINE.findall(text) + REFERENCE.findall(text) if not ELSEWHERE.match(link)]
    assert [found for link in links if (found := problem(page, link))] == []


def test_links_are_found_and_judged(tmp_path: Path) -> None:
    assert len(PAGES) > 60
    readme = ROOT / "README.md"
    assert problem(readme, "docs/index.md") is None
    assert problem(readme, "docs/nowhere.md") == "docs/nowhere.md leads to nothing"
    assert problem(readme, "#nowhere") == "#nowhere: README.md has no such heading"
    assert INLINE.findall('[a](b.md#c) ![p](d.svg "title")\n[on two\nlines](e.md)') == ["b.md#c", "d.svg", "e.md"]
