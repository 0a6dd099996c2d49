"""Issues, users, labels and repositories as REST shows them."""

from datetime import datetime
from typing import Any

from .access import LEVELS, Viewer, association, at_least
from .model import Comment, Event, Issue, Label, Repo
from .state import State, iso

Json = dict[str, Any]


def maybe_iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


class Render:
    """Urls of the API begin as the caller came in; those for people are always the same."""

    def __init__(self, state: State, viewer: Viewer, api_base: str) -> None:
        self.state = state
        self.viewer = viewer
        self.api = api_base
        self.web = state.web_url

    def user(self, login: str) -> Json:
        user = self.state.user(login)
        return {
            "login": user.login,
            "id": user.id,
            "node_id": f"U_{user.id}",
            "avatar_url": "",
            "url": f"{self.api}/users/{user.login}",
            "html_url": f"{self.web}/{user.login}",
            "type": user.kind,
            "site_admin": False,
        }

    def repo_url(self, repo: Repo) -> str:
        return f"{self.api}/repos/{repo.full_name}"

    def repo_page(self, repo: Repo) -> str:
        return f"{self.web}/{repo.full_name}"

    def repo(self, repo: Repo) -> Json:
        held = self.viewer.permission(repo)
        levels = {"pull": "read", "triage": "triage", "push": "write"}
        levels |= {name: name for name in LEVELS[4:]}
        return {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": repo.name,
            "full_name": repo.full_name,
            "private": repo.private,
            "visibility": "private" if repo.private else "public",
            "owner": self.user(repo.owner),
            "html_url": self.repo_page(repo),
            "description": repo.description,
            "fork": repo.parent is not None,
            "url": self.repo_url(repo),
            "clone_url": f"{self.repo_page(repo)}.git",
            "git_url": f"{self.repo_page(repo)}.git",
            "created_at": iso(repo.created_at),
            "updated_at": iso(repo.pushed_at),
            "pushed_at": iso(repo.pushed_at),
            "default_branch": repo.default_branch,
            "archived": repo.archived,
            "disabled": repo.disabled,
            "has_issues": repo.has_issues,
            "allow_merge_commit": "merge" in repo.merges,
            "allow_rebase_merge": "rebase" in repo.merges,
            "allow_squash_merge": "squash" in repo.merges,
            "delete_branch_on_merge": repo.delete_merged,
            "size": len(repo.known_heads),  # kB; none in an empty one
            "open_issues_count": sum(i.state == "open" for i in repo.issues.values()),
            "forks_count": sum(r.parent == repo.full_name for r in self.state.repos.values()),
            "permissions": {key: at_least(held, level) for key, level in levels.items()},
        }

    def label(self, repo: Repo, label: Label) -> Json:
        return {
            "id": label.id,
            "node_id": f"LA_{label.id}",
            "url": f"{self.repo_url(repo)}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": label.description,
        }

    def issue_page(self, repo: Repo, issue: Issue) -> str:
        kind = "pull" if issue.pull else "issues"
        return f"{self.repo_page(repo)}/{kind}/{issue.number}"

    def issue(self, repo: Repo, issue: Issue) -> Json:
        url = f"{self.repo_url(repo)}/issues/{issue.number}"
        assignees = [self.user(login) for login in issue.assignees]
        body: Json = {
            "url": url,
            "repository_url": self.repo_url(repo),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": self.issue_page(repo, issue),
            "id": issue.id,
            "node_id": f"{'PR' if issue.pull else 'I'}_{issue.id}",
            "number": issue.number,
            "title": issue.title,
            "user": self.user(issue.author),
            "labels": [self.label(repo, label) for label in issue.labels],
            "state": issue.state,
            "state_reason": issue.state_reason,
            "locked": False,
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "milestone": None,
            "comments": len(issue.comments),
            "created_at": iso(issue.created_at),
            "updated_at": iso(issue.updated_at),
            "closed_at": maybe_iso(issue.closed_at),
            "closed_by": self.user(issue.closed_by) if issue.closed_by else None,
            "author_association": issue.association or association(repo, issue.author),
            "body": issue.body,
            "issue_dependencies_summary": {
                "blocked_by": issue.blocked_by,
                "total_blocked_by": issue.blocked_by,
                "blocking": 0,
                "total_blocking": 0,
            },
        }
        if issue.pull:
            body["pull_request"] = {
                "url": f"{self.repo_url(repo)}/pulls/{issue.number}",
                "html_url": self.issue_page(repo, issue),
                "merged_at": maybe_iso(issue.pull.merged_at),
            }
        return body

    def comment_page(self, repo: Repo, issue: Issue, comment: Comment) -> str:
        return f"{self.issue_page(repo, issue)}#issuecomment-{comment.id}"

    def comment(self, repo: Repo, issue: Issue, comment: Comment) -> Json:
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{self.repo_url(repo)}/issues/comments/{comment.id}",
            "html_url": self.comment_page(repo, issue, comment),
            "issue_url": f"{self.repo_url(repo)}/issues/{issue.number}",
            "user": self.user(comment.author),
            "created_at": iso(comment.created_at),
            "updated_at": iso(comment.updated_at),
            "author_association": comment.association or association(repo, comment.author),
            "body": comment.body,
        }

    def event(self, repo: Repo, event: Event) -> Json:
        body: Json = {
            "id": event.id,
            "node_id": f"EV_{event.id}",
            "url": f"{self.repo_url(repo)}/issues/events/{event.id}",
            "actor": self.user(event.actor),
            "event": event.kind,
            "commit_id": event.commit,
            "created_at": iso(event.at),
        }
        if event.label:
            body["label"] = {"name": event.label.name, "color": event.label.color}
        if event.assignee:
            body["assignee"] = self.user(event.assignee)
        return body
