"""Names of a package that are imported when they are first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence


def _missing(package: str, name: str) -> Exception:
    message = f"module {package!r} has no attribute {name!r}"
    return AttributeError(message)


def lazily(
    package: str,
    homes: Mapping[str, Sequence[str]],
    missing: Callable[[str, str], Exception] = _missing,
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return the ``__getattr__``, ``__dir__`` and ``__all__`` of *package* (PEP 562).

    Args:
        package: the name of the package.
        homes: its public names, by the module of it that has them.
        missing: returns the error for another name of *package*.
    """
    modules = {name: f"{package}.{module}" for module, names in homes.items() for name in names}

    def get(name: str) -> object:
        if name not in modules:
            raise missing(package, name)
        return getattr(importlib.import_module(modules[name]), name)

    return get, lambda: sorted(modules), sorted(modules)
