"""The benchmarks start; what they find is nobody's failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NAMES = ("resolver", "ninja", "asgi", "http", "job", "growth")
PLOTTED = {"resolver", "http", "job", "growth"}


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[subprocess.Popen[str], Path]]]:
    """All of them, quick and at once, each with a folder for its files."""
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "COV"))}
    started = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name)
        files = ("--json", str(folder / "found" / "x.json"), "--svg", str(folder / "x.svg"))
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", f"tests.benchmarks.{name}", "--quick", *files],
            cwd=ROOT,
            env=kept,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started[name] = process, folder
    yield started
    for process, _ in started.values():
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize("name", NAMES)
def test_each_starts(name: str, running: dict[str, tuple[subprocess.Popen[str], Path]]) -> None:
    """It ends well, prints tables, and writes what it found, with the versions it found it in."""
    process, folder = running[name]
    printed, progress = process.communicate(timeout=60)
    assert process.returncode == 0, progress
    assert "Ratios: " in printed or name == "growth"
    assert "round 1 of " in progress or "Nothing was measured without" in printed
    found = json.loads((folder / "found" / "x.json").read_text())
    assert found["benchmark"] == name
    for package, version in found.get("versions", {}).items():
        assert f"{package} {version}" in printed
    plots = [ET.parse(plot).getroot().tag for plot in folder.glob("*.svg")]  # noqa: S314 - our own
    was_plotted = name in PLOTTED and "Nothing was measured without" not in printed
    assert plots == ["{http://www.w3.org/2000/svg}svg"] * was_plotted
