"""What is stored and sent: tasks, outcomes, events. Validated where it enters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cw.budgets.ceilings import MINUTE, Amount
from cw.names import branch_name, repo_key, same_repo
from cw.reasons import Charge, rule_of
from cw.states import Mode, OutcomeKind, State

# What reading a damaged record raises: pydantic passes some on from its validators (2.14).
MALFORMED = (ValueError, TypeError, OverflowError, RecursionError)
# Of records and messages. A host leaves alone what was made with a higher one than its own. Raise
# it when a host of before could do harm with what is new.
# 2: what a host keeps of commits that could not be pushed is in the spec. 3: repairs and readings
# of pull requests, they alone.
PROTOCOL = 3
_WITHOUT_PULL = 2
MOST_BRANCHES = 50  # that one issue uses up
_CAUSES = {"conflict": "a conflict", "checks": "red checks", "review": "a review"}  # for people


def _moment(value: Any) -> Any:
    """Redis holds milliseconds since the epoch; an empty string is no moment."""
    if value in {"", None}:
        return None
    if isinstance(value, (int, float)) or (isinstance(value, str) and value.isdigit()):
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    return value


def _nothing(value: Any) -> Any:
    return None if value == "" else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]
MaybeText = Annotated[str | None, BeforeValidator(_nothing)]


class Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_serialization_defaults_required=True,  # what we print has all its keys
    )


class OfPull(Model):
    """A task's part in a pull request of ours that another one made. Never changes, as its spec."""

    number: int  # of the pull request
    url: str
    branch: str  # that it comes from
    base: str  # that it goes into
    head: Sha  # that was judged
    author: str = ""  # id of the task that made it
    worker: str = ""  # that had the task before
    session: MaybeText = None  # of that task; goes on where that worker's HOME knows it
    rounds: dict[str, str] = {}  # all that were ordered with this one: task's id to cause
    # What all tasks of the pull request took before this one.
    spent_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    spent_turns: Annotated[int, Field(ge=0)] = 0
    spent_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    spent_rough: bool = False  # a part of it is estimated
    # Of its readings, when this was ordered: one of `cw.pulls.readings.Stage`, "" where it is to
    # have none; and the tasks that had one, with this.
    stage: str = ""
    readers: tuple[str, ...] = ()


class Repair(OfPull):
    """What a task is to mend there, on the branch of that one."""

    cause: str  # one of `cw.pulls.record.Cause`: it mends this, and nothing else
    checks: tuple[str, ...] = ()  # names of the red ones
    threads: tuple[str, ...] = ()  # ids of the open ones, in the order in which they are numbered
    remarks: tuple[str, ...] = ()  # ids of what it sees to: the newest of each thread, reviews
    findings: str = ""  # of a worker that has read it, in its words


class Reading(OfPull):
    """What a task is to read, and to say what it thinks of."""

    issue: int | None = None  # for which it was made


class TaskSpec(Model):
    """What is wanted. Never changes after dispatch."""

    id: str
    repo: str  # owner/repo as it was called then, or a path or URL
    repo_id: int = 0  # GitHub's; 0: not on GitHub, or recorded by a cw that did not ask for it
    repo_url: str
    repo_folder: str
    repo_path: str = ""
    github: bool
    issue: int | None = None
    title: str = ""
    model: str
    mode: Mode = Mode.FREE  # what counts as done when there is no issue
    wanted_worker: MaybeText = None  # None: any idle worker of the pool
    tag: str = ""  # of the machine; its worker was chosen by it
    prompt_sha256: str = ""  # "" when there is none
    prompt_bytes: int = 0
    created_at: Moment
    created_by: str = ""
    approved_sha256: str = ""  # of the issue's title and text as they were dispatched
    approved_by: str = ""  # who stands for them: author or setter of the go label; "": a person
    goes_on: bool = False  # with a branch of this name, whosever it is (`--continue`)
    earlier: dict[str, str] = {}  # branches that tasks of this issue left at the remote, with heads
    notify: bool = False  # whoever dispatched it is told of its end, whichever it is
    # What its runs may take together; 0: as the settings of its host say.
    max_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    max_turns: Annotated[int, Field(ge=0)] = 0
    max_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    unpushed: str = ""  # where commits of an earlier one are that could not be pushed, in words
    on: str = ""  # the branch its first run took; a record has none, see `Start`
    repair: Repair | None = None  # of a pull request; None: it is to make one, or none at all
    reading: Reading | None = None  # likewise
    signature: str = ""  # over all the rest, by whoever dispatched it

    @property
    def key(self) -> tuple[str, int]:
        """What its claim and its issue's last task go by; 0: it has no issue."""
        return repo_key(self.repo, self.repo_id), self.issue or 0

    def stored(self) -> str:
        """As a record holds it: without what has its default, so that hosts of before can read it
        although they do not know every field.
        """
        return self.model_dump_json(exclude_defaults=True)

    @property
    def protocol(self) -> int:
        """Hosts of before may do all but repairs and readings."""
        return PROTOCOL if self.of_pull else _WITHOUT_PULL

    @property
    def of_pull(self) -> Repair | Reading | None:
        """Its part in a pull request that another task made."""
        return self.repair or self.reading

    @property
    def ceiling(self) -> Amount:
        """That it was given; 0: none of its own."""
        return Amount(self.max_usd, self.max_turns, self.max_minutes * MINUTE)

    def within(self, ceiling: Amount) -> TaskSpec:
        """The same task with another ceiling."""
        update = {
            "max_usd": ceiling.usd,
            "max_turns": ceiling.turns,
            "max_minutes": ceiling.s / MINUTE,
        }
        return self.model_copy(update=update)

    def beside(self, other: TaskSpec) -> bool:
        """Whether both are of one repository, as far as their records tell."""
        if self.repo_id and other.repo_id:
            return self.repo_id == other.repo_id
        return same_repo(self.repo, other.repo)

    def on_branch(self, name: str) -> TaskSpec:
        """The same task, with the branch that its first run took."""
        return self.model_copy(update={"on": name}) if name else self

    def called(self, name: str) -> TaskSpec:
        """The same task on its repository under another name."""
        if name == self.repo:
            return self
        url = f"{self.repo_url.removesuffix(f'{self.repo}.git')}{name}.git"
        return self.model_copy(update={"repo": name, "repo_url": url})

    @property
    def branch(self) -> str:
        """Where its commits go. Until its first run began: the first that is asked for."""
        return self.on or self.branch_name(1)

    def branch_name(self, number: int) -> str:
        """What its branch is called when the names before are taken. 1: the first."""
        if self.repair:
            return self.repair.branch
        return branch_name(self.id, self.issue, number)

    def owns(self, branch: str) -> bool:
        """Whether it may be this task's branch."""
        return any(branch == self.branch_name(number) for number in range(1, MOST_BRANCHES + 1))

    @property
    def label(self) -> str:
        """For people: owner/repo#22."""
        name = self.repo if self.github else self.repo_folder.split("/")[-1].rsplit("-", 1)[0]
        return f"{name}#{self.issue}" if self.issue is not None else name

    @property
    def headline(self) -> str:
        """For people: its title, of a repair or a reading with what of."""
        repair, reading = self.repair, self.reading
        if reading:
            return f"review of {self.repo}#{reading.number} · {self.title}"
        if repair is None:
            return self.title
        what = _CAUSES.get(repair.cause, repair.cause)
        return f"repair of {self.repo}#{repair.number}: {what} · {self.title}"


class Start(Model):
    """Where everything stood when a task's first run began: what is reachable from there is none of
    its work, whichever attempt is asked, on whichever host.
    """

    branch: str  # that it took
    base: str  # name of the default branch
    base_sha: Sha
    branch_sha: Annotated[str, Field(pattern=r"^([0-9a-f]{40,64})?$")] = ""  # empty: it was new
    others: tuple[Sha, ...] = ()  # what the remote's other branches and tags stood at
    whole: bool = True  # those are all of them
    # Commit of an earlier task that could not be pushed: it begins with that. Empty: with none.
    carried: Annotated[str, Field(pattern=r"^([0-9a-f]{40,64})?$")] = ""
    told: tuple[str, ...] = ()  # what people and the agent have to know about branches of its name


class Outcome(Model):
    kind: OutcomeKind
    reason: str  # one of cw.reasons, or a word of claude's
    message: str  # one sentence for a person
    pr: str = ""  # URL
    drafted: bool = False  # that is a draft until another worker has read it, and for nothing else
    branch: str = ""
    head: str = ""  # sha of the branch
    commits: int = 0  # that this task added
    pushed: bool = False
    wip: str = ""  # ref in the clone that keeps what was uncommitted
    kept: str = ""  # ref in the clone that keeps commits which could not be pushed
    rescued: tuple[str, ...] = ()  # refs in the clone with what only a broken one had before it
    clone: str = ""  # path of that clone, where it keeps something
    branches: dict[str, str] = {}  # others of the clone with work of this task, and their heads
    lost: tuple[str, ...] = ()  # commits of somebody else's that the agent overwrote at the remote
    elsewhere: tuple[str, ...] = ()  # other refs that changed at the remote meanwhile, by whomever
    issues: tuple[str, ...] = ()  # URLs of issues the agent created, in mode `issue`
    protected: tuple[str, ...] = ()  # paths of CW_PROTECTED_PATHS that its pull request touches
    also_protected: dict[str, tuple[str, ...]] = {}  # those of others it opened, by URL
    cost_usd: float = 0.0
    cost_estimated: bool = False  # a part of it, as the agent was ended before it said so itself
    turns: int = 0
    duration_s: float = 0.0
    report: str = ""  # the agent's last words, capped
    retry_at: MaybeMoment = None


class Task(Model):
    """A task's record: what is wanted, where it stands."""

    spec: TaskSpec
    state: State
    worker: MaybeText = None
    host: MaybeText = None
    attempt: int = 0
    deferrals: int = 0  # times it was held since a person last touched it
    losses: int = 0  # runs that were lost, likewise
    stop_wanted: str = ""  # who asked for its run to be stopped
    reopened: int = 0  # attempts so far when a person let it go on although it had failed
    fresh: bool = False  # begin anew: new session, branch from its start
    fence: int = 0
    session: MaybeText = None
    started_at: MaybeMoment = None  # of the last run
    ended_at: MaybeMoment = None
    lease_until: MaybeMoment = None
    not_before: MaybeMoment = None
    hinted_at: MaybeMoment = None
    reason: str = ""  # why it does not move, or how it ended
    outcome: Outcome | None = None
    # Of all its ended runs together; 0 in records of a version that did not count them.
    spent_usd: float = 0.0
    spent_rough: bool = False  # a part of them is estimated
    spent_turns: int = 0
    spent_s: float = 0.0
    seen_at: MaybeMoment = None  # when a person said that its end is known
    start: Start | None = None  # None: no run of it has had a clone yet
    protocol: int = 0  # that it was made with

    @property
    def branch(self) -> str:
        return self.start.branch if self.start else self.spec.branch

    @property
    def pull(self) -> str:
        """URL of the pull request that it ended with, or was to mend or read; empty: none."""
        ended = self.outcome.pr if self.outcome else ""
        return ended or (self.spec.of_pull.url if self.spec.of_pull else "")

    @property
    def line(self) -> str | None:
        """The worker whose line it is in, or would be; None: the pool's."""
        return self.worker or self.spec.wanted_worker

    @property
    def total_usd(self) -> float:
        """Dollars of all its runs that have ended."""
        return max(self.spent_usd, self.outcome.cost_usd if self.outcome else 0.0)

    @property
    def total_turns(self) -> int:
        return max(self.spent_turns, self.outcome.turns if self.outcome else 0)

    @property
    def total_s(self) -> float:
        """Seconds of all its runs that have ended."""
        return max(self.spent_s, self.outcome.duration_s if self.outcome else 0.0)

    @property
    def limited(self) -> bool:
        """Held with its account, which takes nothing until its time comes."""
        ended = self.outcome.reason if self.outcome else ""
        return self.state is State.HELD and rule_of(ended).charge is Charge.ACCOUNT

    @property
    def too_new(self) -> bool:
        """This cw must leave it alone."""
        return self.protocol > PROTOCOL


class Event(Model):
    """One thing an agent said or did, as the store's stream keeps it."""

    at: Moment
    kind: str  # init text tool result todo retry limit end note
    text: str
    offset: int = 0  # bytes of worker.log read up to and with this event
    data: dict[str, Any] = Field(default_factory=dict)
