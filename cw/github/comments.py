"""A comment that is made once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cw.errors import GitHubRefusedError
from cw.github.connection import Connection
from cw.github.errors import github_errors

_PAGE = """comments(first: 100, after: $after) {
  nodes { body viewerDidAuthor } pageInfo { hasNextPage endCursor }
}"""
_FIND = f"""query Comments($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{ issueOrPullRequest(number: $number) {{
    ... on Issue {{ {_PAGE} }}
    ... on PullRequest {{ {_PAGE} }}
  }} }}
}}"""


def comment_once(
    github: Connection, repo: str, number: int, body: str, marks: Sequence[str]
) -> None:
    """Post it with the first mark in a hidden line, unless it is there with one of them.

    Only the very same comment counts, and only of the account that would post it: whoever can read
    a mark can write it, and an agent that shares the account can change what it stands under.
    """
    made = [f"{body}\n\n<!-- {mark} -->" for mark in marks]
    if not {text.strip() for text in made} & set(_own(github, repo, number)):
        _post(github, repo, number, made[0])


def _post(github: Connection, repo: str, number: int, body: str) -> None:
    """Not to be repeated."""
    what, path = f"comment on {repo}#{number}", f"/repos/{repo}/issues/{number}/comments"
    with github_errors(what):  # an answer that names no comment is no proof of one
        _ = github.ask(what, repo, "POST", path, {"body": body}).data["id"]


def _own(github: Connection, repo: str, number: int) -> Iterator[str]:
    owner, _, name = repo.partition("/")
    variables: dict[str, object] = {"owner": owner, "name": name, "number": number}
    more = True
    while more:
        data = github.graphql(repo, _FIND, variables, partly=True)
        found = (data["repository"] or {}).get("issueOrPullRequest")
        if not found:
            raise GitHubRefusedError(
                f"GitHub knows no issue {repo}#{number}",
                hint="Check the name, and that the token may see it",
            )
        for comment in found["comments"]["nodes"]:
            if comment["viewerDidAuthor"]:
                yield comment["body"].replace("\r\n", "\n").strip()
        page = found["comments"]["pageInfo"]
        more, variables["after"] = page["hasNextPage"], page["endCursor"]
