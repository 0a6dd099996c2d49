"""Picks the fields that were asked for out of objects that know more.

gh refuses answers with fields it did not ask for, so a fixed answer per operation will not do.
An object is a dict with `__typename`; a value that can be called gets the field's arguments.
"""

from collections.abc import Mapping
from typing import Any

from .graphql_parse import Document, Selection, Variable
from .wire import ApiError

Object = dict[str, Any]
CODES = {401: "FORBIDDEN", 403: "FORBIDDEN", 404: "NOT_FOUND", 422: "UNPROCESSABLE"}


class UnknownFieldError(Exception):
    pass


class Run:
    def __init__(self, document: Document, variables: Mapping[str, Any]) -> None:
        self._document = document
        self._variables = document.defaults | dict(variables)
        self.errors: list[Object] = []

    def answer(self, root: Object) -> Object:
        try:
            data = self._object(root, self._document.selections, [])
        except UnknownFieldError as error:
            return {"errors": [{"message": str(error), "type": "undefinedField"}]}
        return {"data": data} | ({"errors": self.errors} if self.errors else {})

    def _object(self, source: Object, selections: list[Selection], path: list[Any]) -> Object:
        result: Object = {}
        for selection in selections:
            if selection.name:
                where = [*path, selection.alias]
                result[selection.alias] = self._field(source, selection, where)
            else:
                result |= self._fragment(source, selection, path)
        return result

    def _fragment(self, source: Object, selection: Selection, path: list[Any]) -> Object:
        chosen = self._document.fragments[selection.alias] if selection.alias else selection
        kinds = {source["__typename"], *source.get("__interfaces", ())}
        if chosen.on is not None and chosen.on not in kinds:
            return {}
        return self._object(source, chosen.children, path)

    def _field(self, source: Object, selection: Selection, path: list[Any]) -> Any:
        if selection.name not in source:
            kind = source["__typename"]
            raise UnknownFieldError(f"Field '{selection.name}' doesn't exist on type '{kind}'")
        return self._item(source[selection.name], selection, path)

    def _item(self, value: Any, selection: Selection, path: list[Any]) -> Any:
        """What may not be seen is null, whether it is a field or one of a list."""
        if callable(value):
            try:
                value = value(self._resolved(selection.args))
            except ApiError as error:
                self._note(error, path)
                return None
        return self._shaped(value, selection, path)

    def _shaped(self, value: Any, selection: Selection, path: list[Any]) -> Any:
        if isinstance(value, list):
            return [self._item(v, selection, [*path, i]) for i, v in enumerate(value)]
        if isinstance(value, dict):
            return self._object(value, selection.children, path)
        return value

    def _note(self, error: ApiError, path: list[Any]) -> None:
        details = [
            e.get("message") or f"{e['resource']} {e['field']} is {e['code']}"
            for e in error.errors or []
        ]
        entry = {"type": CODES.get(error.status, "INTERNAL"), "path": path}
        self.errors.append(entry | {"message": details[0] if details else error.message})

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Variable):
            return self._variables.get(value.name)
        if isinstance(value, dict):
            return {key: self._resolved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner) for inner in value]
        return value


def connection(nodes: list[Any], args: Mapping[str, Any] | None = None) -> Object:
    """A page of nodes; the cursor is the number of the last one."""
    args = args or {}
    start = int(args.get("after") or 0)
    last = args.get("last")
    if last is not None:
        start = max(0, len(nodes) - last)
    first = args.get("first")
    end = len(nodes) if first is None else min(len(nodes), start + first)
    return {
        "__typename": "Connection",
        "nodes": nodes[start:end],
        "edges": [{"__typename": "Edge", "node": node, "cursor": ""} for node in nodes[start:end]],
        "totalCount": len(nodes),
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": end < len(nodes),
            "endCursor": str(end) if nodes else None,
            "hasPreviousPage": start > 0,
            "startCursor": str(start),
        },
    }


def empty(_args: Mapping[str, Any] | None = None) -> Object:
    return connection([])
