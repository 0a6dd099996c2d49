"""HTTP for one quick question, without what a redirect would do: carry a login to somebody else."""

from __future__ import annotations

import urllib.request


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Answers that lead elsewhere are answers (urllib: an HTTPError with their status)."""


def opener(*, direct: bool = False) -> urllib.request.OpenerDirector:
    """`direct`: by none of the environment's proxies."""
    around = [urllib.request.ProxyHandler({})] if direct else []
    return urllib.request.build_opener(_Stay(), *around)
