"""HTTP for one quick question, without what a redirect would do: carry a login to somebody else."""

from __future__ import annotations

import urllib.request


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Answers that lead elsewhere are answers (urllib: an HTTPError with their status)."""


def opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Stay())
