"""Security schemes and the scopes required of them, in the document."""

from __future__ import annotations

import copy
from typing import Any

from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from di.exceptions import SecuritySchemeConflictError
from di.security.base import SecurityBase
from di.signature import InjectedSignature


class SecuredSchema(OpenAPISchema):
    """Ninja's document, with the schemes that dependables enforce.

    An operation enforces all of its schemes, so they are one requirement, and part of
    each alternative of Ninja's own ``auth=``.
    """

    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Return the alternatives of which a request must satisfy one."""
        alternatives = super().operation_security(operation)
        if not isinstance(operation.signature, InjectedSignature):
            return alternatives
        required: dict[str, list[str]] = {}
        is_optional = True
        for step in operation.signature.compiled.plan.steps:
            scheme = step.dependable.call
            if isinstance(scheme, SecurityBase):
                scopes = required.setdefault(scheme.scheme_name, [])
                scopes.extend(scope for scope in step.oauth_scopes if scope not in scopes)
                is_optional = is_optional and not scheme.auto_error
                self._add_scheme(scheme, step.oauth_scopes)
        if not required:
            return alternatives
        merged = [{**one, **required} for one in alternatives or [{}]]
        return [*merged, {}] if is_optional and not alternatives else merged

    def _add_scheme(self, scheme: SecurityBase, oauth_scopes: tuple[str, ...]) -> None:
        model = self._absolute(copy.deepcopy(scheme.model))
        known = self.securitySchemes.setdefault(scheme.scheme_name, model)
        if _without_scopes(known) != _without_scopes(model):
            problem = f"Two different security schemes are called {scheme.scheme_name!r}."
            hint = "Give one of them a scheme_name of its own."
            raise SecuritySchemeConflictError(problem, hint=hint)
        for flow in known.get("flows", {}).values():
            # Swagger UI offers the scopes that are listed here, and no others.
            for scope in oauth_scopes:
                flow["scopes"].setdefault(scope, "")

    def _absolute(self, model: dict[str, Any]) -> dict[str, Any]:
        """Complete relative URLs: a browser would resolve them against the docs page."""
        for flow in model.get("flows", {}).values():
            for name in ("tokenUrl", "refreshUrl"):
                url = flow.get(name)
                if url and not url.startswith(("/", "http://", "https://")):
                    flow[name] = f"/{self.path_prefix.strip('/')}/{url}".replace("//", "/")
        return model


def _without_scopes(model: dict[str, Any]) -> dict[str, Any]:
    flows = {
        name: {key: value for key, value in flow.items() if key != "scopes"}
        for name, flow in model.get("flows", {}).items()
    }
    return {**model, "flows": flows}
