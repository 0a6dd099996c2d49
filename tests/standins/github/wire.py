"""What goes in and out of the stand-in, free of sockets and of state."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    host: str
    path: str  # still percent-encoded, without /api/v3
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes
    api_base: str  # what the urls in the answer begin with

    def any_json(self) -> Any:
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            raise ApiError(400, "Problems parsing JSON") from None

    def json(self) -> dict[str, Any]:
        data = self.any_json()
        if not isinstance(data, dict):
            raise ApiError(400, "Body should be a JSON object")
        return data


@dataclass(kw_only=True)
class Reply:
    status: int = 200
    body: Any = None  # bytes go out as they are, all else as JSON
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if self.status in {204, 304}:
            return b""
        return json.dumps(self.body, separators=(",", ":")).encode()


class ApiError(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    def reply(self) -> Reply:
        body: dict[str, Any] = {
            "message": self.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(self.status),
        }
        if self.errors:
            body["errors"] = self.errors
        return Reply(status=self.status, body=body, headers=dict(self.headers))


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def invalid(resource: str, field_name: str, code: str, message: str = "") -> ApiError:
    """The 422 GitHub gives; a message makes the code "custom"."""
    error = {"resource": resource, "field": field_name, "code": code}
    if message:
        error["message"] = message
    return ApiError(422, "Validation Failed", [error])
