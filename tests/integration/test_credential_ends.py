"""Since when a fleet has a token, and that its end is told once: with a real server, and a disk."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cw.accounts.holds import Account, HoldKind
from cw.accounts.identity import AccountKind, Identity
from cw.fleet_models import Host, Worker
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.keyring import load_keyring
from cw.notices.notice import Notice
from cw.settings import Settings, load_settings
from cw.store import keys
from cw.store.accounts import Refused
from cw.store.clock import epoch_ms
from cw.store.store import Store, open_store
from workerhost.notices.credential_ends import EndTeller, end_teller
from workerhost.runs.first_seen import FirstSeen
from workerhost.runs.home_accounts import HomeAccounts

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
TOKEN = Identity("abc1" * 4, AccountKind.SUBSCRIPTION, "team-a", yearly=True)
KEY = Identity("abd2" * 4, AccountKind.KEY, "own-key")
SEEN = datetime(2031, 5, 20, 12, tzinfo=UTC)
END = SEEN + timedelta(days=365)
YEAR = timedelta(days=365)


@pytest.fixture
def fleet(store: Store) -> Store:
    for worker in ("01", "02"):
        store.fleet.register_worker(Worker(id=worker, host="here", home=f"/nowhere/{worker}"))
        store.accounts.tell(worker, TOKEN, first_seen_ms=epoch_ms(SEEN))
    return store


@pytest.fixture
def settings(cw_environ: dict[str, str]) -> Settings:
    return load_settings(cw_environ)[0]


def account(store: Store, account_id: str = TOKEN.id) -> Account:
    return store.accounts.read([account_id])[account_id]


def told(store: Store, host: str = "here") -> list[Notice]:
    return [entry.effect.notice for entry in store.notices.pending(host)]


def look(teller: EndTeller, store: Store, now: datetime) -> None:
    teller.look([account(store)], store.fleet.workers(), now)


def test_the_first_that_has_it_counts_by_the_servers_clock(store: Store) -> None:
    before = epoch_ms(store.tasks.now())

    first = store.accounts.tell("01", TOKEN)
    again = store.accounts.tell("02", TOKEN)
    earlier = store.accounts.tell("02", TOKEN, first_seen_ms=1000)
    later = store.accounts.tell("01", TOKEN, first_seen_ms=before * 2)

    assert first is not None
    assert before <= first <= epoch_ms(store.tasks.now())
    assert (again, earlier, later) == (first, 1000, 1000)
    assert account(store).first_seen == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_credential_that_does_not_end_by_itself_has_no_age(store: Store) -> None:
    assert store.accounts.tell("01", KEY, date(2031, 1, 1)) is None
    assert account(store, KEY.id).first_seen is None


@pytest.mark.parametrize("nonsense", ["", "yesterday", "-5", "1e9", "0x10", "9" * 40, "nan"])
def test_age_that_cannot_be_read_is_told_again(
    fleet: Store, settings: Settings, nonsense: str
) -> None:
    with fleet.connection.errors() as client:
        client.hset(keys.account(TOKEN.id), "first_seen", nonsense)
        client.hset(keys.worker("01"), "account_since", nonsense)

    assert account(fleet).name == "team-a"
    assert account(fleet).first_seen is None
    look(end_teller(fleet, settings), fleet, END)
    assert told(fleet) == []
    fleet.accounts.tell("01", TOKEN, first_seen_ms=epoch_ms(SEEN))
    assert account(fleet).first_seen == SEEN


@pytest.mark.parametrize(("days", "number"), [(15, 0), (14, 1), (0, 1), (-1, 1)])
def test_it_is_told_from_two_weeks_before(
    fleet: Store, settings: Settings, days: int, number: int
) -> None:
    look(end_teller(fleet, settings), fleet, END - timedelta(days=days))

    assert len(told(fleet)) == number


def test_it_is_told_once_by_whichever_host_and_not_each_day(
    fleet: Store, settings: Settings, tmp_path: Path
) -> None:
    others = [
        end_teller(fleet, replace(settings, state_dir=tmp_path / name))
        for name in ("a", "b", "c", "d")
    ]

    known, workers = [account(fleet)], fleet.fleet.workers()  # as all four have it

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.look(known, workers, END - timedelta(days=9)), others))
    for days in range(8, -3, -1):
        look(others[0], fleet, END - timedelta(days=days))

    (notice,) = told(fleet)
    assert (notice.what, notice.title, notice.reason) == (
        "ending",
        "account team-a",
        "credential_ending",
    )
    assert notice.why == "the year of its token ends in 9 days, on 2032-05-19 at the latest"
    assert notice.next == "claude setup-token makes another one, for the .zshenv of 01 02"


def test_day_that_is_given_after_a_warning_is_warned_of_when_it_is_near(
    fleet: Store, settings: Settings
) -> None:
    teller = end_teller(fleet, settings)
    look(teller, fleet, END)
    fleet.accounts.tell("02", TOKEN, SEEN.date() + timedelta(days=60))

    look(teller, fleet, END)
    assert len(told(fleet)) == 1
    look(teller, fleet, END + timedelta(days=50))

    assert told(fleet)[1].why == "the year of its token ends in 10 days, on 2032-07-18"


def test_broker_that_forgot_is_told_since_when_and_nobody_is_told_again(
    redis_url: str, store: Store, settings: Settings, cw_environ: dict[str, str]
) -> None:
    home = _with_token(settings)
    register(store, home)
    accounts = HomeAccounts(settings, store, cw_environ)
    accounts.look(store.fleet.workers(), {"01": home})
    (known,) = accounts.known()
    assert known.first_seen
    end_teller(store, settings).look([known], store.fleet.workers(), known.first_seen + YEAR)
    assert len(told(store)) == 1

    with store.connection.errors() as client:
        client.flushall()
    register(store, home)
    later = HomeAccounts(settings, store, cw_environ)  # of the next process
    later.look(store.fleet.workers(), {"01": home})

    (again,) = later.known()
    assert again.first_seen == known.first_seen
    end_teller(store, settings).look([again], store.fleet.workers(), known.first_seen + YEAR)
    assert told(store) == []


def register(store: Store, home: Home) -> None:
    store.fleet.register_worker(Worker(id=home.id, host="here", home=str(home.path)))


def _with_token(settings: Settings, **more: str) -> Home:
    given = {"CLAUDE_CODE_OAUTH_TOKEN": "a-token", **more}
    return make_home(settings.workers_root, "01", given, templates_dir())


def test_host_tells_the_day_that_is_in_zshenv_as_soon_as_it_changes(
    store: Store, settings: Settings, cw_environ: dict[str, str]
) -> None:
    home = _with_token(settings)
    register(store, home)
    accounts = HomeAccounts(settings, store, cw_environ)
    text = home.zshenv.read_text("utf-8")
    days = []

    for line in ("", "export CW_ACCOUNT_SINCE=2026-01-31\n", "CW_ACCOUNT_SINCE=soon\n"):
        home.zshenv.write_text(text + line, "utf-8")
        accounts.look(store.fleet.workers(), {"01": home})
        days += [worker.account_since for worker in store.fleet.workers()]

    assert days == ["", "2026-01-31", ""]


@pytest.mark.parametrize("lines", ["", "x\n", "a b c\nabc1 -5\nabc1 1.5\n", "\0\xff\n"])
def test_file_of_ages_that_is_nonsense_tells_nothing(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "accounts" / "here.txt"
    path.parent.mkdir()
    path.write_text(lines, "latin-1")

    seen = FirstSeen(path)
    assert seen.at("abc1") is None
    seen.keep("abc1", 5)

    assert FirstSeen(path).at("abc1") == 5


def test_file_of_ages_that_cannot_be_written_holds_up_nothing(tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("no folder")

    seen = FirstSeen(tmp_path / "accounts" / "here.txt")
    seen.keep("abc1", 5)

    assert seen.at("abc1") == 5


@pytest.fixture
def typed(cw_environ: dict[str, str], redis_url: str, fleet: Store) -> Store:
    """What a person sees of it."""
    cw_environ["CW_BROKER_URL"] = redis_url
    fleet.fleet.beat(Host(name="here", workers=2), fleet.tasks.now())
    return fleet


@pytest.mark.parametrize(("days", "shown"), [(15, False), (14, True), (0, True), (-1, True)])
def test_end_that_is_near_is_in_accounts_and_doctor(
    cw: Cw, typed: Store, days: int, shown: bool
) -> None:
    since = typed.tasks.now().date() + timedelta(days=days) - YEAR
    typed.accounts.tell("01", TOKEN, since)

    accounts, doctor = cw("accounts").stdout, cw("doctor").stdout

    (row,) = json.loads(cw("accounts", "--json").stdout)
    assert row["ends_on"] == str(since + YEAR)
    assert str(since + YEAR) in accounts.splitlines()[1]
    assert ("team-a: the year of its token" in accounts) is shown
    assert ("warn  account team-a: the year of its token" in doctor) is shown
    assert ("→ claude setup-token makes another one" in doctor) is shown


@pytest.mark.parametrize("day", ["soon", "2026-02-30", "2999-01-01"])
def test_day_that_does_not_count_is_said(
    cw: Cw, settings: Settings, store: Store, day: str
) -> None:
    home = _with_token(settings)
    with home.zshenv.open("a") as file:
        file.write(f"export CW_ACCOUNT_SINCE={day}\n")

    lines = cw("doctor").stdout.splitlines()

    at = lines.index(
        "warn  worker 01 account: CW_ACCOUNT_SINCE is no day that there was, and does not count"
    )
    assert lines[at + 1].strip() == f"→ Set it in {home.zshenv} as YYYY-MM-DD, or take it out"


def test_notice_that_nobody_took_names_its_account(
    cw: Cw, cw_environ: dict[str, str], typed: Store, settings: Settings
) -> None:
    keyring = load_keyring(settings)  # the one that `cw` makes there
    signed = open_store(cw_environ["CW_BROKER_URL"], keyring)
    look(end_teller(signed, settings), signed, END)
    (entry,) = signed.notices.pending("here")

    signed.notices.set_aside("here", entry, "it answered 422", 1)
    signed.connection.close()

    assert "account team-a" in cw("outbox").stdout
    assert "notice on account team-a: it answered 422" in cw("doctor").stdout


def test_host_knows_in_how_many_seconds_the_first_of_its_accounts_takes_more(
    store: Store, settings: Settings, cw_environ: dict[str, str]
) -> None:
    home = _with_token(settings)
    register(store, home)
    accounts = HomeAccounts(settings, store, cw_environ)
    accounts.look(store.fleet.workers(), {"01": home})
    (known,) = accounts.known()
    never, hour = accounts.opens_in(), timedelta(hours=1)

    for pause in (2 * hour, hour):
        until = store.tasks.now() + pause
        store.accounts.hold(known.id, Refused(HoldKind.LIMIT, "t", scope=str(pause), until=until))
    accounts.look(store.fleet.workers(), {"01": home})

    assert never == math.inf
    assert 0 < accounts.opens_in() <= hour.total_seconds()
