"""Pull requests as REST shows them."""

from . import gitrepo
from .model import Issue, Repo
from .pull_actions import mergeable, pull_of
from .render import Json, Render, maybe_iso


def pull_json(render: Render, repo: Repo, issue: Issue) -> Json:
    """As in lists: without what costs git a look."""
    pull = pull_of(issue)
    head_repo = render.state.repo(pull.head_repo)
    as_issue = render.issue(repo, issue)
    dropped = {"pull_request", "state_reason", "closed_by", "comments", "events_url", "labels_url"}
    common = {key: value for key, value in as_issue.items() if key not in dropped}
    url = f"{render.repo_url(repo)}/pulls/{issue.number}"
    return common | {
        "url": url,
        "issue_url": as_issue["url"],
        "commits_url": f"{url}/commits",
        "draft": pull.draft,
        "merged_at": maybe_iso(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "head": _end(render, head_repo, pull.head_ref, pull.head_sha),
        "base": _end(render, repo, pull.base_ref, pull.base_sha),
        "requested_reviewers": [],
        "requested_teams": [],
        "auto_merge": None,
    }


def _end(render: Render, repo: Repo, ref: str, sha: str) -> Json:
    return {
        "label": f"{repo.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": render.user(repo.owner),
        "repo": render.repo(repo),
    }


def full_pull_json(render: Render, repo: Repo, issue: Issue) -> Json:
    pull = pull_of(issue)
    commits = gitrepo.commits_between(repo.path, pull.base_sha, pull.head_sha)
    files = gitrepo.changed_files(repo.path, pull.base_sha, pull.head_sha)
    can_merge = issue.state == "open" and mergeable(repo, issue)
    return pull_json(render, repo, issue) | {
        "merged": pull.merged_at is not None,
        "merged_by": render.user(pull.merged_by) if pull.merged_by else None,
        "mergeable": can_merge if issue.state == "open" else None,
        "mergeable_state": "clean" if can_merge else "dirty",
        "comments": len(issue.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(commits),
        "additions": sum(f.additions for f in files),
        "deletions": sum(f.deletions for f in files),
        "changed_files": len(files),
    }


def commit_json(render: Render, repo: Repo, commit: gitrepo.Commit) -> Json:
    who = {"name": commit.author, "email": commit.email, "date": commit.at}
    return {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": f"{render.repo_url(repo)}/commits/{commit.sha}",
        "html_url": f"{render.repo_page(repo)}/commit/{commit.sha}",
        "commit": {"message": commit.message, "author": who, "committer": who},
        "author": None,
        "committer": None,
        "parents": [],
    }
