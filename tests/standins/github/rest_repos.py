"""Repositories, who may use them, and their branches."""

import base64

from . import gitrepo, pushes
from .access import at_least, permission_of
from .model import Push, Repo
from .routing import Call, route
from .state import iso
from .wire import ApiError, Reply, invalid, not_found

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO)
def get_repo(call: Call) -> Reply:
    return Reply(body=call.render.repo(call.repo()))


def _visible(call: Call, owner: str) -> list[Repo]:
    repos = [r for r in call.state.repos.values() if r.owner.lower() == owner.lower()]
    return [repo for repo in repos if call.viewer.sees(repo)]


@route("GET", "/orgs/{owner}/repos")
@route("GET", "/users/{owner}/repos")
def repos_of_owner(call: Call) -> Reply:
    owner = call.params["owner"]
    if owner.lower() not in call.state.users:
        raise not_found()
    return call.page([call.render.repo(repo) for repo in _visible(call, owner)])


@route("GET", "/user/repos")
def my_repos(call: Call) -> Reply:
    login = call.viewer.require_login().lower()
    mine = [r for r in call.state.repos.values() if login in r.permissions and call.viewer.sees(r)]
    return call.page([call.render.repo(repo) for repo in mine])


@route("GET", REPO + "/collaborators")
def list_collaborators(call: Call) -> Reply:
    repo = call.repo("write")
    names = [n for n, held in repo.permissions.items() if at_least(held, "read")]
    return call.page([call.render.user(name) for name in names])


@route("GET", REPO + "/collaborators/{login}")
def is_collaborator(call: Call) -> Reply:
    repo = call.repo("write")
    return Reply(status=204 if call.params["login"].lower() in repo.permissions else 404)


@route("GET", REPO + "/collaborators/{login}/permission")
def collaborator_permission(call: Call) -> Reply:
    """`permission` knows four words; `role_name` tells triage and maintain apart."""
    repo, login = call.repo("write"), call.params["login"]
    if login.lower() not in call.state.users:
        raise not_found()
    role = permission_of(repo, login)
    coarse = {"triage": "read", "maintain": "write"}.get(role, role)
    user = call.render.user(login)
    return Reply(body={"permission": coarse, "role_name": role, "user": user})


@route("GET", REPO + "/branches")
def list_branches(call: Call) -> Reply:
    repo = call.repo(area="contents")
    heads = gitrepo.heads(repo.path).items()
    return call.page([_branch(call, repo, name, sha) for name, sha in heads])


@route("GET", REPO + "/branches/{branch*}")
def get_branch(call: Call) -> Reply:
    repo, name = call.repo(area="contents"), call.params["branch"]
    sha = gitrepo.head(repo.path, name)
    if sha is None:
        raise not_found()
    return Reply(body=_branch(call, repo, name, sha))


def _branch(call: Call, repo: Repo, name: str, sha: str) -> dict[str, object]:
    commit = {"sha": sha, "url": f"{call.render.repo_url(repo)}/commits/{sha}"}
    return {"name": name, "commit": commit, "protected": False}


@route("GET", REPO + "/git/ref/{ref*}")
def get_ref(call: Call) -> Reply:
    repo, name = call.repo(area="contents"), call.params["ref"]
    sha = gitrepo.resolve(repo.path, f"refs/{name}")
    if sha is None:
        raise not_found()
    return Reply(body=_ref(call, repo, name, sha))


def _ref(call: Call, repo: Repo, name: str, sha: str) -> dict[str, object]:
    target = {"type": "commit", "sha": sha, "url": f"{call.render.repo_url(repo)}/commits/{sha}"}
    url = f"{call.render.repo_url(repo)}/git/refs/{name}"
    return {"ref": f"refs/{name}", "node_id": f"REF_{name}", "url": url, "object": target}


@route("POST", REPO + "/git/refs")
def create_ref(call: Call) -> Reply:
    repo, data = call.repo("write", "contents"), call.request.json()
    if not data.get("ref") or not data.get("sha"):
        raise ApiError(422, 'Invalid request.\n\n"ref", "sha" weren\'t supplied.')
    name, sha = str(data["ref"]).removeprefix("refs/"), str(data["sha"])
    if gitrepo.resolve(repo.path, f"refs/{name}"):
        raise invalid("Reference", "ref", "custom", "Reference already exists")
    if gitrepo.resolve(repo.path, sha) is None:
        raise invalid("Reference", "sha", "custom", "Object does not exist")
    gitrepo.git(repo.path, "update-ref", f"refs/{name}", sha)
    pushes.after_push(call.state, repo, call.viewer.login)
    return Reply(status=201, body=_ref(call, repo, name, sha))


@route("DELETE", REPO + "/git/refs/{ref*}")
def delete_branch(call: Call) -> Reply:
    repo, name = call.repo("write", "contents"), call.params["ref"].removeprefix("heads/")
    if gitrepo.head(repo.path, name) is None:
        raise invalid("Reference", "ref", "custom", "Reference does not exist")
    gitrepo.delete_branch(repo.path, name)
    pushes.after_push(call.state, repo, call.viewer.login)
    return Reply(status=204)


@route("GET", REPO + "/activity")
def activity(call: Call) -> Reply:
    """Newest first. GitHub tells more kinds apart, and pages by cursor."""
    repo, wanted = call.repo(area="contents"), call.request.query.get("ref", "")
    full = wanted if wanted.startswith("refs/") else f"refs/heads/{wanted}"
    rows = [one for one in reversed(repo.pushes) if not wanted or one.ref == full]
    return call.page([_push(call, one) for one in rows])


def _push(call: Call, one: Push) -> dict[str, object]:
    kinds = {one.before: "branch_creation", one.after: "branch_deletion"}
    return {
        "id": one.id,
        "node_id": f"PSH_{one.id}",
        "before": one.before,
        "after": one.after,
        "ref": one.ref,
        "timestamp": iso(one.at),
        "activity_type": kinds.get(pushes.NO_COMMIT, "push"),
        "actor": call.render.user(one.actor),
    }


@route("GET", REPO + "/contents/{path*}")
def get_file(call: Call) -> Reply:
    repo, path = call.repo(area="contents"), call.params["path"]
    text = gitrepo.read_file(repo.path, call.request.query.get("ref", "HEAD"), path)
    if text is None:
        raise not_found()
    data = base64.b64encode(text.encode()).decode()
    name = path.rpartition("/")[2]
    common = {"type": "file", "name": name, "path": path, "size": len(text)}
    return Reply(body=common | {"encoding": "base64", "content": data})
