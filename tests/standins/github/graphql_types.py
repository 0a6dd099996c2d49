"""What gh may ask of issues, comments, labels and users."""

from typing import Any

from . import gitrepo
from .access import association
from .graphql_checks import rollup
from .graphql_run import Object, connection, empty
from .model import Comment, Event, Issue, Label, Repo
from .render import Render, maybe_iso
from .state import iso

Args = dict[str, Any]
TIMELINE = {
    "labeled": "LABELED_EVENT",
    "unlabeled": "UNLABELED_EVENT",
    "renamed": "RENAMED_TITLE_EVENT",
}


class Types:
    def __init__(self, render: Render) -> None:
        self.render = render
        self.state = render.state
        self.viewer = render.viewer

    def user(self, login: str) -> Object:
        user = self.state.user(login)
        return {
            "__typename": user.kind,
            "__interfaces": ("Actor", "RepositoryOwner"),
            "id": f"U_{user.id}",
            "databaseId": user.id,
            "login": user.login.removesuffix("[bot]"),  # as GraphQL shows bots
            "name": "",
            "url": f"{self.render.web}/{user.login}",
        }

    def label(self, label: Label) -> Object:
        return {
            "__typename": "Label",
            "id": f"LA_{label.id}",
            "name": label.name,
            "color": label.color,
            "description": label.description or "",
            "isDefault": False,
            "createdAt": iso(self.state.now()),
            "updatedAt": iso(self.state.now()),
            "url": "",
        }

    def comment(self, repo: Repo, issue: Issue, comment: Comment) -> Object:
        return {
            "__typename": "IssueComment",
            "id": f"IC_{comment.id}",
            "databaseId": comment.id,
            "author": self.user(comment.author),
            "authorAssociation": comment.association or association(repo, comment.author),
            "body": comment.body,
            "createdAt": iso(comment.created_at),
            "updatedAt": iso(comment.updated_at),
            "includesCreatedEdit": comment.edited_at is not None,
            "lastEditedAt": maybe_iso(comment.edited_at),
            "editor": self._editor(comment.editor),
            "isMinimized": False,
            "minimizedReason": "",
            "reactionGroups": [],
            "url": self.render.comment_page(repo, issue, comment),
            "viewerDidAuthor": comment.author == self.viewer.login,
        }

    def _editor(self, login: str | None) -> Object | None:
        return self.user(login) if login else None

    def _timeline(self, issue: Issue, args: Args) -> Object:
        """Labels and titles only."""
        wanted = args.get("itemTypes") or list(TIMELINE.values())
        shown = [one for one in issue.events if TIMELINE.get(one.kind) in wanted]
        return connection([self._timeline_item(one) for one in shown], args)

    def _timeline_item(self, event: Event) -> Object:
        kind = "".join(word.title() for word in TIMELINE[event.kind].split("_"))
        return {
            "__typename": kind,
            "id": f"EV_{event.id}",
            "createdAt": iso(event.at),
            "actor": self.user(event.actor),
            "label": self.label(event.label) if event.label else None,
        }

    def issue(self, repo: Repo, issue: Issue) -> Object:
        """The part an issue and a pull request have in common."""
        labels = [self.label(label) for label in issue.labels]
        comments = [self.comment(repo, issue, comment) for comment in issue.comments]
        assignees = [self.user(login) for login in issue.assignees]
        reason = issue.state_reason.upper() if issue.state_reason else None
        return {
            "__typename": "Issue",
            "__interfaces": ("Node", "Labelable", "Assignable", "Comment", "Closable"),
            "id": f"I_{issue.id}",
            "databaseId": issue.id,
            "fullDatabaseId": str(issue.id),
            "number": issue.number,
            "title": issue.title,
            "body": issue.body or "",
            "state": issue.state.upper(),
            "stateReason": reason,
            "closed": issue.state == "closed",
            "closedAt": maybe_iso(issue.closed_at),
            "createdAt": iso(issue.created_at),
            "updatedAt": iso(issue.updated_at),
            "lastEditedAt": maybe_iso(issue.edited_at),
            "editor": self._editor(issue.editor),
            "timelineItems": lambda args: self._timeline(issue, args),
            "url": self.render.issue_page(repo, issue),
            "author": self.user(issue.author),
            "authorAssociation": issue.association or association(repo, issue.author),
            "labels": lambda args: connection(labels, args),
            "comments": lambda args: connection(comments, args),
            "assignees": lambda args: connection(assignees, args),
            "assignedActors": lambda args: connection(assignees, args),
            "repository": lambda _args: self.short_repo(repo),
            "closedByPullRequestsReferences": empty,
            "isPinned": False,
            "isReadByViewer": True,
            "locked": False,
            "activeLockReason": None,
            "milestone": None,
            "reactionGroups": [],
            "projectCards": empty,
            "projectItems": empty,
            "issueType": None,
            "parent": None,
            "subIssues": empty,
            "subIssuesSummary": None,
            "blockedBy": empty,
            "blocking": empty,
            "viewerDidAuthor": issue.author == self.viewer.login,
        }

    def short_repo(self, repo: Repo) -> Object:
        """A repository named in passing, without what hangs off it."""
        return {
            "__typename": "Repository",
            "__interfaces": ("Node",),
            "id": f"R_{repo.id}",
            "databaseId": repo.id,
            "name": repo.name,
            "nameWithOwner": repo.full_name,
            "owner": self.user(repo.owner),
            "url": self.render.repo_page(repo),
            "sshUrl": f"git@github.localhost:{repo.full_name}.git",
            "isPrivate": repo.private,
            "visibility": "PRIVATE" if repo.private else "PUBLIC",
            "isArchived": repo.archived,
            "isFork": repo.parent is not None,
            "isEmpty": lambda _args: gitrepo.head(repo.path, repo.default_branch) is None,
            "isInOrganization": self.state.user(repo.owner).kind == "Organization",
            "isTemplate": False,
            "description": repo.description or "",
            "homepageUrl": "",
            "createdAt": iso(repo.created_at),
            "pushedAt": iso(repo.pushed_at),
            "updatedAt": iso(repo.pushed_at),
            "hasIssuesEnabled": True,
            "hasWikiEnabled": False,
            "hasProjectsEnabled": False,
            "hasDiscussionsEnabled": False,
            "mergeCommitAllowed": "merge" in repo.merges,
            "squashMergeAllowed": "squash" in repo.merges,
            "rebaseMergeAllowed": "rebase" in repo.merges,
            "autoMergeAllowed": False,
            "deleteBranchOnMerge": repo.delete_merged,
            "viewerDefaultMergeMethod": "MERGE",
            "viewerPermission": self.permission(repo),
            "viewerCanAdminister": self.viewer.permission(repo) == "admin",
            "defaultBranchRef": lambda _args: self.ref(repo, repo.default_branch),
            "parent": self._parent(repo),
            "stargazerCount": 0,
            "forkCount": 0,
        }

    def permission(self, repo: Repo) -> str:
        return self.viewer.permission(repo).upper()

    def _parent(self, repo: Repo) -> Object | None:
        return self.short_repo(self.state.repo(repo.parent)) if repo.parent else None

    def ref(self, repo: Repo, branch: str) -> Object | None:
        sha = gitrepo.head(repo.path, branch)
        if sha is None:
            return None
        return {
            "__typename": "Ref",
            "id": f"REF_{repo.id}_{branch}",
            "name": branch,
            "prefix": "refs/heads/",
            "target": self.commit(repo, sha),
            "branchProtectionRule": None,
        }

    def commit(self, repo: Repo, sha: str) -> Object:
        return {
            "__typename": "Commit",
            "oid": sha,
            "id": f"C_{sha}",
            "statusCheckRollup": lambda _args: rollup(self.viewer, repo, sha),
        }


def type_fields(name: str) -> Any:
    """Introspection as gh does it to learn what a server is able to; here: nothing new."""
    return {
        "__typename": "__Type",
        "name": name,
        "fields": lambda _args: [],
        "enumValues": lambda _args: [],
        "inputFields": lambda _args: [],
    }
