"""What gh may ask of pull requests and repositories."""

from . import gitrepo
from .graphql_checks import rollup
from .graphql_reviews import reviews
from .graphql_run import Object, connection, empty
from .graphql_types import Args, Types
from .model import Issue, Repo
from .pull_actions import closing_numbers, mergeable, pull_of
from .render import maybe_iso
from .wire import ApiError

FILE = {"__typename": "PullRequestChangedFile", "changeType": "MODIFIED"}


class RepoTypes(Types):
    def any_issue(self, repo: Repo, issue: Issue) -> Object:
        return self.pull(repo, issue) if issue.pull else self.issue(repo, issue)

    def pull(self, repo: Repo, issue: Issue) -> Object:
        pull = pull_of(issue)
        head = self.state.repo(pull.head_repo)
        merge_commit = {"__typename": "Commit", "oid": pull.merge_sha} if pull.merge_sha else None
        return (
            self.issue(repo, issue)
            | {
                "__typename": "PullRequest",
                "id": f"PR_{issue.id}",
                "state": "MERGED" if pull.merged_at else issue.state.upper(),
                "isDraft": pull.draft,
                "merged": pull.merged_at is not None,
                "mergedAt": maybe_iso(pull.merged_at),
                "mergedBy": self.user(pull.merged_by) if pull.merged_by else None,
                "mergeCommit": merge_commit,
                "potentialMergeCommit": None,
                "mergeable": lambda _args: self._mergeable(repo, issue),
                "mergeStateStatus": lambda _args: self._merge_state(repo, issue),
                "headRefName": pull.head_ref,
                "headRefOid": pull.head_sha,
                "headRef": lambda _args: self.ref(head, pull.head_ref),
                "headRepository": self.short_repo(head),
                "headRepositoryOwner": self.user(head.owner),
                "isCrossRepository": head is not repo,
                "maintainerCanModify": False,
                "baseRefName": pull.base_ref,
                "baseRefOid": pull.base_sha,
                "baseRef": lambda _args: self.ref(repo, pull.base_ref),
                "closingIssuesReferences": lambda args: connection(
                    self._closing(repo, issue), args
                ),
                "autoMergeRequest": None,
                "isInMergeQueue": False,
                "isMergeQueueEnabled": False,
                "mergeQueueEntry": None,
                "viewerMergeBodyText": "",
                "viewerMergeHeadlineText": "",
                "reviewRequests": empty,
            }
            | reviews(self, repo, issue)
            | self._changes(repo, issue)
        )

    def _closing(self, repo: Repo, issue: Issue) -> list[Object]:
        return [self.issue(repo, repo.issues[n]) for n in closing_numbers(repo, issue)]

    def _mergeable(self, repo: Repo, issue: Issue) -> str:
        """REST's guide "Checking mergeability": null while a background job works it out."""
        pull = pull_of(issue)
        if issue.state != "open" or pull.unknown:
            pull.unknown = max(0, pull.unknown - 1)
            return "UNKNOWN"
        return "MERGEABLE" if mergeable(repo, issue) else "CONFLICTING"

    def _merge_state(self, repo: Repo, issue: Issue) -> str:
        states = {"MERGEABLE": "CLEAN", "CONFLICTING": "DIRTY", "UNKNOWN": "UNKNOWN"}
        return states[self._mergeable(repo, issue)]

    def _changes(self, repo: Repo, issue: Issue) -> Object:
        pull = pull_of(issue)
        ends = (pull.base_sha, pull.head_sha)

        def files() -> list[gitrepo.ChangedFile]:
            return gitrepo.changed_files(repo.path, *ends)

        def commits(args: Args) -> Object:
            found = gitrepo.commits_between(repo.path, *ends)
            return connection([self._pull_commit(repo, commit) for commit in found], args)

        def shown_files(args: Args) -> Object:
            rows = [vars(file) | FILE for file in files()]
            return connection(rows, args)

        return {
            "additions": lambda _args: sum(file.additions for file in files()),
            "deletions": lambda _args: sum(file.deletions for file in files()),
            "changedFiles": lambda _args: len(files()),
            "files": shown_files,
            "commits": commits,
            "statusCheckRollup": commits,
        }

    def _pull_commit(self, repo: Repo, commit: gitrepo.Commit) -> Object:
        headline, _, rest = commit.message.partition("\n")
        author = {
            "__typename": "GitActor",
            "name": commit.author,
            "email": commit.email,
            "user": None,
        }
        inner = {
            "__typename": "Commit",
            "oid": commit.sha,
            "authors": lambda args: connection([author], args),
            "messageHeadline": headline,
            "messageBody": rest.strip(),
            "committedDate": commit.at,
            "authoredDate": commit.at,
            "statusCheckRollup": lambda _args: rollup(self.viewer, repo, commit.sha),
        }
        return {"__typename": "PullRequestCommit", "commit": inner}

    def repo(self, repo: Repo) -> Object:
        issues = [issue for issue in repo.issues.values() if not issue.pull]
        pulls = [issue for issue in repo.issues.values() if issue.pull]
        labels = [self.label(label) for label in repo.labels.values()]
        people = [self.user(login) for login in repo.permissions]
        return self.short_repo(repo) | {
            "issue": lambda args: self.issue(repo, self._numbered(issues, args)),
            "pullRequest": lambda args: self.pull(repo, self._numbered(pulls, args)),
            "issueOrPullRequest": lambda args: self.any_issue(
                repo, self._numbered([*issues, *pulls], args)
            ),
            "issues": lambda args: self._listed(repo, issues, args),
            "pullRequests": lambda args: self._listed(repo, pulls, args),
            "labels": lambda args: connection(labels, args),
            "label": lambda args: self._label(repo, args["name"]),
            "assignableUsers": lambda args: connection(people, args),
            "suggestedActors": lambda args: connection(people, args),
            "collaborators": lambda args: connection(people, args),
            "ref": lambda args: self.ref(repo, args["qualifiedName"].removeprefix("refs/heads/")),
            "object": lambda args: self._object(repo, args),
            "milestones": empty,
            "projects": empty,
            "projectsV2": empty,
            "forks": empty,
            "issueTemplates": [],
            "pullRequestTemplates": [],
            "issueTypes": empty,
            "mergeQueue": None,
            "contributingGuidelines": None,
            "codeOfConduct": None,
        }

    def owner(self, login: str) -> Object:
        owned = [r for r in self.state.repos.values() if r.owner.lower() == login.lower()]
        shown = [self.short_repo(repo) for repo in owned if self.viewer.sees(repo)]
        return self.user(login) | {"repositories": lambda args: connection(shown, args)}

    def _label(self, repo: Repo, name: str) -> Object | None:
        found = repo.labels.get(name.lower())
        return self.label(found) if found else None

    def _object(self, repo: Repo, args: Args) -> Object | None:
        if sha := args.get("oid"):
            return self.commit(repo, sha) if gitrepo.resolve(repo.path, sha) else None
        revision, _, path = args["expression"].partition(":")
        text = gitrepo.read_file(repo.path, revision, path)
        return None if text is None else {"__typename": "Blob", "text": text}

    def _numbered(self, issues: list[Issue], args: Args) -> Issue:
        for issue in issues:
            if issue.number == args["number"]:
                return issue
        kind = "an issue or pull request" if len(issues) else "an Issue"
        raise ApiError(404, f"Could not resolve to {kind} with the number of {args['number']}.")

    def _listed(self, repo: Repo, issues: list[Issue], args: Args) -> Object:
        """As `gh issue list` and `gh pr list` filter: always the truth, never the index."""
        filters = args | (args.get("filterBy") or {})
        chosen = [issue for issue in issues if self._listable(repo, issue, filters)]
        order = args.get("orderBy") or {"direction": "DESC"}
        chosen.sort(key=lambda issue: issue.number, reverse=order["direction"] == "DESC")
        return connection([self.any_issue(repo, issue) for issue in chosen], args)

    def _listable(self, repo: Repo, issue: Issue, filters: Args) -> bool:
        pull = issue.pull
        state = "MERGED" if pull and pull.merged_at else issue.state.upper()
        labels = {label.name.lower() for label in issue.labels}
        wanted = [name.lower() for name in filters.get("labels") or []]
        return (
            state in (filters.get("states") or [state])
            and filters.get("headRefName") in {None, pull.head_ref if pull else ""}
            and filters.get("baseRefName") in {None, pull.base_ref if pull else ""}
            and (not wanted or not labels.isdisjoint(wanted))
            and filters.get("assignee") in {None, *issue.assignees}
            and filters.get("createdBy") in {None, issue.author}
        )
