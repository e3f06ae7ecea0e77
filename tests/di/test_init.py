"""The public names."""

from __future__ import annotations

import ast
import importlib
import pathlib
import subprocess
import sys
import types

import pytest

import di
import di.security

packages = pytest.mark.parametrize("package", [di, di.security], ids=lambda one: one.__name__)


@packages
def test_every_public_name_is_what_type_checkers_take_it_for(package: types.ModuleType) -> None:
    """They read the imports that are never run; __all__ and dir() have the same names."""
    tree = ast.parse(pathlib.Path(str(package.__file__)).read_text())
    homes = {
        alias.asname: (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(homes) == package.__all__ == dir(package)
    for shown, (module, name) in homes.items():
        assert getattr(package, shown) is getattr(importlib.import_module(str(module)), name)


@packages
def test_an_unknown_name_is_an_attribute_error(package: types.ModuleType) -> None:
    """The lazy root says what is missing like any module."""
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'x'"):
        _ = package.x


def test_the_core_needs_no_settings() -> None:
    """Markers can be imported where Django is not configured yet."""
    code = "import di, sys; di.Depends; di.override; sys.exit('ninja' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, env={})  # noqa: S603 - our own code
    assert done.returncode == 0
