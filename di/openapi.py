"""Security schemes and the scopes required of them, in the document."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.utils import normalize_path

from di.exceptions import SecuritySchemeConflictError
from di.security.base import SecurityBase, find_scheme
from di.signature import InjectedSignature

_URLS = ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl")

Requirement = dict[str, list[str]]
"""The schemes that a request must satisfy together, each with its scopes."""


def document_security(api: NinjaAPI) -> None:
    """Let the document of a plain *api* hold the schemes that its dependables enforce.

    `di.NinjaAPI` does so by itself.
    """
    api.get_openapi_schema = functools.partial(secured_schema, api)  # type: ignore[method-assign]


def secured_schema(
    api: NinjaAPI, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
) -> OpenAPISchema:
    """Return the document of *api*; for the rest, see Ninja's ``get_openapi_schema``."""
    if path_prefix is None:
        path_prefix = api.get_root_path(path_params or {})
    return SecuredSchema(api, path_prefix)


class SecuredSchema(OpenAPISchema):
    """Ninja's document, with the schemes that dependables enforce.

    An operation enforces all of its schemes, so they are one requirement, and part of
    each alternative of Ninja's own ``auth=``. With a scheme that is optional there is a
    choice: that one too, or the others alone.
    """

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        self.enforced: dict[str, dict[str, Any]] = {}
        self.root = normalize_path(f"/{path_prefix}/")
        super().__init__(api, path_prefix)

    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Return the alternatives of which a request must satisfy one."""
        alternatives = super().operation_security(operation)
        required, optional = self._requirements(operation)
        if not required and not optional:
            return alternatives
        ours = [*({**required, name: scopes} for name, scopes in optional.items()), required]
        return [{**theirs, **one} for theirs in alternatives or [{}] for one in ours]

    def get_components(self) -> dict[str, Any]:
        """Return Ninja's components, and the schemes.

        Raises:
            SecuritySchemeConflictError: one of Ninja's own has the name of one of them.
        """
        for name, model in self.enforced.items():
            if self.securitySchemes.setdefault(name, model) != model:
                _refuse(name, "Give it a scheme_name of its own, or rename the class in auth=.")
        components: dict[str, Any] = super().get_components()
        return components

    def _requirements(self, operation: Operation) -> tuple[Requirement, Requirement]:
        """Return what *operation* requires, and what it reads if it is there."""
        required: Requirement = {}
        optional: Requirement = {}
        if isinstance(operation.signature, InjectedSignature):
            view = operation.signature.view_func
            for step in operation.signature.compiled.plan.steps:
                if scheme := find_scheme(step.dependable.call):
                    self._add_scheme(scheme, step.oauth_scopes, view)
                    known = required if scheme.auto_error else optional
                    scopes = known.setdefault(scheme.scheme_name, [])
                    scopes.extend(scope for scope in step.oauth_scopes if scope not in scopes)
        for name in required.keys() & optional.keys():
            scopes = optional.pop(name)
            required[name].extend(scope for scope in scopes if scope not in required[name])
        return required, optional

    def _add_scheme(
        self, scheme: SecurityBase, oauth_scopes: tuple[str, ...], view: Callable[..., Any]
    ) -> None:
        model = self._absolute(scheme.model)
        known = self.enforced.setdefault(scheme.scheme_name, model)
        if _without_scopes(known) != _without_scopes(model):
            _refuse(scheme.scheme_name, "Give one of them a scheme_name of its own.", view)
        for name, flow in known.get("flows", {}).items():
            # Swagger UI offers the scopes that are listed here, and no others.
            listed = {**dict.fromkeys(oauth_scopes, ""), **model["flows"][name]["scopes"]}
            for oauth_scope, text in listed.items():
                flow["scopes"][oauth_scope] = flow["scopes"].get(oauth_scope) or text

    def _absolute(self, model: dict[str, Any]) -> dict[str, Any]:
        """Complete relative URLs: a browser would resolve them against the docs page."""
        model = copy.deepcopy(model)
        for holder in (model, *model.get("flows", {}).values()):
            for name in holder.keys() & set(_URLS):
                holder[name] = urljoin(self.root, holder[name])
        return model


def _without_scopes(model: dict[str, Any]) -> dict[str, Any]:
    flows = {name: {**flow, "scopes": {}} for name, flow in model.get("flows", {}).items()}
    return {**model, "flows": flows}


def _refuse(name: str, hint: str, view: Callable[..., Any] | None = None) -> None:
    problem = f"Two different security schemes are called {name!r}."
    path = [(None, view)] if view else []
    raise SecuritySchemeConflictError(problem, path=path, hint=hint)
