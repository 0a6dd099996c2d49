"""What each answer tells a browser: run our files only, show this in no frame, keep nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from tornado.template import Template
from tornado.web import OutputTransform

_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_STATIC = "/static/"
# No origin but ours, and of inline scripts only those whose digest is named. Styles are looser:
# Bootstrap, DataTables and a page of Flower's put them into attributes (2.2.0), which run nothing.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' data:",  # Bootstrap's icons
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_ALWAYS = {
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "no-referrer",  # an address may name an issue
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def add_headers(flower: Any) -> None:
    """To every answer from now on, an error's and a file's as well: tornado hands each of them to
    its transforms, whatever page it is of.
    """
    inline = _inline_scripts(Path(flower.settings["template_path"]), flower.options)
    flower.add_transform(_with(_ALWAYS | {"Content-Security-Policy": policy(inline)}))


def policy(inline: list[str]) -> str:
    """`inline`: the text of each script that a page has in itself."""
    words = _POLICY | {"script-src": " ".join([_POLICY["script-src"], *map(_source, inline)])}
    return "; ".join(f"{name} {value}" for name, value in words.items())


def _inline_scripts(folder: Path, options: Any) -> list[str]:
    """Those of Flower's own files, as its pages will have them: not what a page has besides."""
    values = {"autorefresh": 1 if options.auto_refresh else 0}  # all that they insert (2.2.0)
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))]
    found = [script for text in texts for script in _INLINE.findall(text)]
    # Tornado leaves out blanks of templates; so does this, as its name says that it is HTML.
    return [Template(script, name="inline.html").generate(**values).decode() for script in found]


def _source(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _with(headers: dict[str, str]) -> type[OutputTransform]:
    class Headers(OutputTransform):
        def __init__(self, request: Any) -> None:
            self._file = request.path.startswith(_STATIC)

        def transform_first_chunk(
            self,
            status_code: int,
            given: Any,
            chunk: bytes,
            finishing: bool,  # noqa: ARG002
        ) -> tuple[int, Any, bytes]:
            for name, value in headers.items():
                given[name] = value
            if not self._file or status_code >= 400:
                given["Cache-Control"] = "no-store"
            given.pop("Server", None)
            return status_code, given, chunk

    return Headers
