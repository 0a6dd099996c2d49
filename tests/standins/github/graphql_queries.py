"""The queries gh sends."""

from . import checks, search
from .graphql_pulls import RepoTypes
from .graphql_reviews import thread_json
from .graphql_run import Object, connection
from .graphql_types import Args, type_fields
from .model import Issue, Label, Repo, User
from .review_actions import thread_of
from .routing import Call
from .wire import ApiError


class Queries:
    def __init__(self, call: Call) -> None:
        self.state = call.state
        self.viewer = call.viewer
        self.limits = call.limits
        self.types = RepoTypes(call.render)

    def fields(self) -> Object:
        return {
            "__typename": "Query",
            "viewer": lambda _args: self.types.user(self.viewer.login) | self._viewer(),
            "user": lambda args: self.types.user(args["login"]),
            "organization": lambda args: self._organization(args["login"]),
            "repository": self._repository,
            "repositoryOwner": lambda args: self.types.owner(args["login"]),
            "node": lambda args: self._node(args["id"]),
            "search": self._search,
            "rateLimit": lambda _args: self._rate_limit(),
            "__type": lambda args: type_fields(args["name"]),
        }

    def _viewer(self) -> Object:
        return {"organizations": lambda _args: connection([]), "email": ""}

    def _organization(self, login: str) -> Object:
        raise ApiError(404, f"Could not resolve to an Organization with the login of '{login}'.")

    def _repository(self, args: Args) -> Object:
        name = f"{args['owner']}/{args['name']}"
        # Its argument followRenames is true unless somebody says otherwise.
        repo = self.state.repos.get(name.lower()) or self.state.moved_repo(name)
        if repo is None or not self.viewer.sees(repo):
            raise ApiError(404, f"Could not resolve to a Repository with the name '{name}'.")
        return self.types.repo(repo)

    def _node(self, node_id: str) -> Object:
        found = self.state.nodes.get(node_id)
        if isinstance(found, Repo) and self.viewer.sees(found):
            return self.types.repo(found)
        if isinstance(found, Label):
            return self.types.label(found)
        if isinstance(found, User):
            return self.types.user(found.login)
        if node_id.startswith("PRRT_"):
            repo, issue, thread = thread_of(self.state.nodes, node_id)
            self.viewer.require(repo, "read", "pull_requests")
            return thread_json(self.types, repo, issue, thread)
        repo, issue = subject(self.state.nodes, node_id)
        self.viewer.require(repo, "read", checks.area_of(issue))
        return self.types.any_issue(repo, issue)

    def _search(self, args: Args) -> Object:
        hits = search.search(self.state, self.viewer, args["query"])
        shown = connection([self.types.any_issue(repo, issue) for repo, issue in hits], args)
        shown["issueCount"] = len(hits)
        return shown

    def _rate_limit(self) -> Object:
        bucket = self.limits.overview(self.viewer.login)["graphql"]
        return {"__typename": "RateLimit", "cost": 1, **bucket}


def subject(nodes: dict[str, object], node_id: str) -> tuple[Repo, Issue]:
    found = nodes.get(node_id)
    if isinstance(found, tuple) and len(found) == 2:
        repo, issue = found
        if isinstance(repo, Repo) and isinstance(issue, Issue):
            return repo, issue
    raise ApiError(404, f"Could not resolve to a node with the global id of '{node_id}'")
