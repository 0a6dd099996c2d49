"""Every endpoint, gathered: importing a module registers its routes."""

from . import (
    graphql_api,
    rest_account,
    rest_actions,
    rest_apps,
    rest_issues,
    rest_labels,
    rest_pulls,
    rest_repos,
    rest_reviews,
    rest_runs,
    rest_statuses,
    search,
)
from .routing import find

__all__ = [
    "find",
    "graphql_api",
    "rest_account",
    "rest_actions",
    "rest_apps",
    "rest_issues",
    "rest_labels",
    "rest_pulls",
    "rest_repos",
    "rest_reviews",
    "rest_runs",
    "rest_statuses",
    "search",
]
