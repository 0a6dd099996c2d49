"""Settings of the work: agents, their walls, runs and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cw import values
from cw.budgets.ceilings import MINUTE, Amount, ceiling
from cw.sections.setting import setting


@dataclass(frozen=True, kw_only=True)
class WorkSettings:
    agent_program: str = setting(
        "agent.program",
        "claude",
        values.text,
        "The program that agents are: claude, or one that a package beside cw registers",
    )
    claude: str = setting(
        "agent.claude",
        "",
        values.text,
        "The claude binary. Empty: PATH, else the one inside claude-agent-sdk",
    )
    model: str = setting("agent.model", "sonnet", values.text, "Model of a dispatch without -m")
    agent_env: tuple[str, ...] = setting(
        "agent.env", (), values.names, "Names of variables of the host that agents get as well"
    )
    agent_user: str = setting(
        "agent.user",
        "",
        values.text,
        "User that agents run as where the host is root, which they never are. Empty: the one of deploy/install.sh or the image; without one root starts nothing. A host that is not root runs them as itself",
    )
    trusted_repos: tuple[str, ...] = setting(
        "agent.trusted_repos",
        (),
        values.names,
        "Repositories (owner/repo) whose own .claude settings, hooks and rules claude loads",
    )
    isolation: str = setting(
        "sandbox.isolation",
        "strict",
        values.one_of("strict", "outer", "claude", "none"),
        "The walls around agents. strict: bubblewrap around claude and claude's own sandbox in it, or nothing starts; outer: only bubblewrap, for agents that are not claude; claude: only its own sandbox (macOS); none",
    )
    allowed_domains: tuple[str, ...] = setting(
        "sandbox.allowed_domains",
        ("*.com", "*.io", "*.dev"),
        values.domains,
        "Hosts that agents reach, on ports 22, 80 and 443, besides GitHub and the task's repository: names, or *. and the rest of one",
    )
    sandbox_read: tuple[Path, ...] = setting(
        "sandbox.read",
        (),
        values.paths,
        "More paths agents may read, separated by colons (toolchains)",
    )
    run_time_limit: float = setting(
        "run.time_limit", 14400.0, values.amount, "Seconds a run may take; 0: no limit"
    )
    run_silence_limit: float = setting(
        "run.silence_limit", 900.0, values.amount, "Seconds a run may write nothing; 0: no limit"
    )
    run_rest: float = setting(
        "run.rest",
        30.0,
        values.amount,
        "Seconds that what an agent has left running may go on after its last word",
    )
    run_max_turns: int = setting(
        "run.max_turns", 0, values.count, "Turns a run may take (claude's --max-turns); 0: no limit"
    )
    run_max_usd: float = setting(
        "run.max_usd",
        0.0,
        values.amount,
        "Dollars a run may cost (claude's --max-budget-usd); 0: no limit",
    )
    run_loop_calls: int = setting(
        "run.loop_calls",
        20,
        values.count,
        "Turns in a row with calls that failed as they had before, or all with one error, after which a run is stopped; three times as many when they did not fail. What waits (sleep, gh pr checks) does not count; 0: no limit",
    )
    run_idle_turns: int = setting(
        "run.idle_turns",
        200,
        values.count,
        "Turns in a row without a change of a file, after which a run is stopped whose work is commits; 0: no limit",
    )
    run_memory_mb: int = setting(
        "run.memory_mb",
        0,
        values.count,
        "Megabytes that a run's processes may take together (Linux); 0: no limit",
    )
    run_max_processes: int = setting(
        "run.max_processes",
        2048,
        values.count,
        "Processes and threads that a run may have at once (Linux); 0: no limit",
    )
    run_log_mb: int = setting(
        "run.log_mb", 256, values.count, "Megabytes that an agent may write to its log; 0: no limit"
    )
    stop_grace: float = setting(
        "run.stop_grace",
        10.0,
        values.amount,
        "Seconds between interrupt, terminate and kill of a run",
    )
    max_attempts: int = setting(
        "task.max_attempts", 2, values.count, "Runs a task may lose before it is crashed"
    )
    max_deferrals: int = setting(
        "task.max_deferrals", 5, values.count, "Times a task may be deferred before it is failed"
    )
    same_failures: int = setting(
        "task.same_failures",
        5,
        values.count,
        "Tasks running that fail for one reason, after which their repository, worker or account is paused; 0: never",
    )
    task_max_usd: float = setting(
        "task.max_usd",
        25.0,
        values.amount,
        "Dollars a task may cost over all its runs: each run gets what is left; 0: no limit",
    )
    task_max_turns: int = setting(
        "task.max_turns",
        1000,
        values.count,
        "Turns a task may take over all its runs; 0: no limit",
    )
    task_max_minutes: float = setting(
        "task.max_minutes",
        600.0,
        values.amount,
        "Minutes that a task's runs may take together; 0: no limit",
    )
    defer_seconds: float = setting(
        "task.defer_seconds",
        600.0,
        values.amount,
        "Pause after a passing fault that names no time itself",
    )
    account_reserve: int = setting(
        "account.reserve",
        10,
        values.count,
        "Percent of each window of a subscription that agents leave to its owner: beyond it nothing new starts; 0: they may use it up",
    )
    account_spread: float = setting(
        "account.spread",
        20.0,
        values.amount,
        "Seconds between two starts on an account that goes on after a limit",
    )
    account_pause: float = setting(
        "account.pause",
        60.0,
        values.amount,
        "Seconds that an API which serves nobody is left alone; after the second refusal in a row twice as long, then 5 and 15 times",
    )
    account_give_up: float = setting(
        "account.give_up",
        86400.0,
        values.amount,
        "Seconds of such refusals after which a person has to look",
    )
    budget_worker_day: str = setting(
        "budget.worker_day",
        "",
        ceiling,
        "What the runs of one worker may take in a day: `5usd`, `200turns`, `90min`, or several of these; empty: no limit",
    )
    budget_account_day: str = setting(
        "budget.account_day", "", ceiling, "The same for all runs on one account"
    )
    budget_fleet_day: str = setting(
        "budget.fleet_day", "", ceiling, "The same for all runs of the fleet"
    )
    budget_fleet_month: str = setting(
        "budget.fleet_month", "", ceiling, "The same for all runs of the fleet in a month"
    )
    lease_ttl: float = setting(
        "lease.ttl", 600.0, values.amount, "Seconds a lease lives without renewal"
    )
    lease_renew: float = setting("lease.renew", 30.0, values.amount, "Seconds between renewals")
    lease_margin: float = setting(
        "lease.margin",
        60.0,
        values.amount,
        "Seconds before a lease's end at which its holder stops its own run; longer than twice run.stop_grace",
    )
    git_memory_mb: int = setting(
        "git.memory_mb",
        256,
        values.count,
        "Megabytes that one git of the host may take for what an agent left; with more it is too large to be judged (Linux); 0: no limit",
    )
    git_seconds: float = setting(
        "git.seconds",
        40.0,
        values.amount,
        "Seconds that the host's git may take for what an agent left, for all of one settling together; 0: no limit",
    )

    @property
    def task_ceiling(self) -> Amount:
        """What a task's runs may take together, where nobody said otherwise."""
        return Amount(self.task_max_usd, self.task_max_turns, self.task_max_minutes * MINUTE)
