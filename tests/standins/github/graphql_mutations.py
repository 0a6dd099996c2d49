"""The mutations gh sends."""

from collections.abc import Callable
from typing import Any

from . import checks, issue_actions, label_actions, pull_actions, review_actions
from .graphql_pulls import RepoTypes
from .graphql_queries import subject
from .graphql_reviews import thread_json
from .graphql_run import Object
from .graphql_types import Args
from .model import Issue, Label, Repo, User
from .routing import Call
from .wire import ApiError


class Mutations:
    def __init__(self, call: Call) -> None:
        self.state = call.state
        self.viewer = call.viewer
        self.types = RepoTypes(call.render)

    def fields(self) -> Object:
        actions: dict[str, Callable[[Args], Object]] = {
            "addLabelsToLabelable": self._add_labels,
            "removeLabelsFromLabelable": self._remove_labels,
            "addComment": self._comment,
            "createIssue": self._create_issue,
            "updateIssue": lambda data: self._update(data, data["id"]),
            "closeIssue": lambda data: self._set_open(data, data["issueId"], is_open=False),
            "reopenIssue": lambda data: self._set_open(data, data["issueId"], is_open=True),
            "replaceActorsForAssignable": self._replace_assignees,
            "createPullRequest": self._create_pull,
            "updatePullRequest": lambda data: self._update(data, data["pullRequestId"]),
            "closePullRequest": lambda data: self._set_open(
                data, data["pullRequestId"], is_open=False
            ),
            "reopenPullRequest": lambda data: self._set_open(
                data, data["pullRequestId"], is_open=True
            ),
            "mergePullRequest": self._merge,
            "markPullRequestReadyForReview": lambda data: self._draft(data, draft=False),
            "addPullRequestReviewThreadReply": self._reply,
            "resolveReviewThread": lambda data: self._resolve(data, resolved=True),
            "unresolveReviewThread": lambda data: self._resolve(data, resolved=False),
            "convertPullRequestToDraft": lambda data: self._draft(data, draft=True),
        }
        wrapped = {name: _with_input(action) for name, action in actions.items()}
        return {"__typename": "Mutation"} | wrapped

    def _payload(self, repo: Repo, issue: Issue, **more: Any) -> Object:
        shown = self.types.any_issue(repo, issue)
        kind = "pullRequest" if issue.pull else "issue"
        common = {"__typename": "Payload", "clientMutationId": ""}
        return common | {kind: shown, "labelable": shown, "subject": shown} | more

    def _subject(self, node_id: str) -> tuple[Repo, Issue]:
        repo, issue = subject(self.state.nodes, node_id)
        self.viewer.require(repo, "read", checks.area_of(issue))
        return repo, issue

    def _labels(self, data: Args) -> list[Label]:
        found = [self.state.nodes.get(node_id) for node_id in data.get("labelIds") or []]
        return [label for label in found if isinstance(label, Label)]

    def _logins(self, data: Args) -> list[str]:
        found = [self.state.nodes.get(node_id) for node_id in data.get("assigneeIds") or []]
        return [user.login for user in found if isinstance(user, User)]

    def _add_labels(self, data: Args) -> Object:
        repo, issue = self._subject(data["labelableId"])
        names = [label.name for label in self._labels(data)]
        label_actions.add_labels(self.state, self.viewer, repo, issue, names)
        return self._payload(repo, issue)

    def _remove_labels(self, data: Args) -> Object:
        repo, issue = self._subject(data["labelableId"])
        self.viewer.require(repo, "triage", checks.area_of(issue))
        for label in self._labels(data):
            if label in issue.labels:  # unlike REST, no complaint about an absent one
                label_actions.take_label(self.state, self.viewer.login, issue, label)
        return self._payload(repo, issue)

    def _comment(self, data: Args) -> Object:
        repo, issue = self._subject(data["subjectId"])
        made = issue_actions.comment_on(self.state, self.viewer, repo, issue, data["body"])
        shown = self.types.comment(repo, issue, made)
        edge = {"__typename": "IssueCommentEdge", "node": shown}
        return self._payload(repo, issue, commentEdge=edge)

    def _create_issue(self, data: Args) -> Object:
        repo = self._repo(data)
        issue = issue_actions.open_issue(
            self.state,
            self.viewer,
            repo,
            data.get("title", ""),
            data.get("body"),
            [label.name for label in self._labels(data)],
            self._logins(data),
        )
        return self._payload(repo, issue)

    def _repo(self, data: Args) -> Repo:
        found = self.state.nodes.get(data["repositoryId"])
        if isinstance(found, Repo) and self.viewer.sees(found):
            return found
        raise ApiError(404, "Could not resolve to a node with that global id")

    def _update(self, data: Args, node_id: str) -> Object:
        repo, issue = self._subject(node_id)
        title, body = data.get("title"), data.get("body")
        issue_actions.rewrite(self.state, self.viewer, repo, issue, title=title, body=body)
        if data.get("labelIds") is not None:
            names = [label.name for label in self._labels(data)]
            label_actions.replace_labels(self.state, self.viewer, repo, issue, names)
        if data.get("assigneeIds") is not None:
            issue_actions.assign(self.state, self.viewer, repo, issue, self._logins(data))
        return self._payload(repo, issue)

    def _replace_assignees(self, data: Args) -> Object:
        repo, issue = self._subject(data["assignableId"])
        wanted = data.get("actorLogins") or self._logins({"assigneeIds": data.get("actorIds")})
        gone = [login for login in issue.assignees if login not in wanted]
        issue_actions.unassign(self.state, self.viewer, repo, issue, gone)
        issue_actions.assign(self.state, self.viewer, repo, issue, wanted)
        return self._payload(repo, issue)

    def _set_open(self, data: Args, node_id: str, *, is_open: bool) -> Object:
        repo, issue = self._subject(node_id)
        reason = (data.get("stateReason") or "").lower() or None
        issue_actions.set_open(self.state, self.viewer, repo, issue, is_open=is_open, reason=reason)
        return self._payload(repo, issue)

    def _create_pull(self, data: Args) -> Object:
        issue = pull_actions.open_pull(
            self.state,
            self.viewer,
            self._repo(data),
            title=data.get("title", ""),
            body=data.get("body"),
            head=data["headRefName"],
            base=data["baseRefName"],
            draft=bool(data.get("draft")),
        )
        return self._payload(self._repo(data), issue)

    def _merge(self, data: Args) -> Object:
        repo, issue = self._subject(data["pullRequestId"])
        pull_actions.merge_pull(
            self.state,
            self.viewer,
            repo,
            issue,
            method=(data.get("mergeMethod") or "MERGE").lower(),
            expected_head=data.get("expectedHeadOid"),
            message=data.get("commitBody") or None,
        )
        return self._payload(repo, issue)

    def _draft(self, data: Args, *, draft: bool) -> Object:
        repo, issue = self._subject(data["pullRequestId"])
        checks.require_editor(self.viewer, repo, issue, "write")
        pull_actions.pull_of(issue).draft = draft
        self.state.touch(issue)
        return self._payload(repo, issue)

    def _reply(self, data: Args) -> Object:
        found = review_actions.thread_of(self.state.nodes, data["pullRequestReviewThreadId"])
        made = review_actions.reply(self.state, self.viewer, *found, data["body"])
        repo, issue, _ = found
        shown = self.types.comment(repo, issue, made) | {"id": f"PRRC_{made.id}"}
        return self._payload(repo, issue, comment=shown)

    def _resolve(self, data: Args, *, resolved: bool) -> Object:
        found = review_actions.thread_of(self.state.nodes, data["threadId"])
        review_actions.set_resolved(self.state, self.viewer, *found, resolved=resolved)
        shown = thread_json(self.types, *found)
        return self._payload(found[0], found[1], thread=shown)


def _with_input(action: Callable[[Args], Object]) -> Callable[[Args], Object]:
    return lambda args: action(args["input"])
