"""What a browser may do on Flower's pages, and what it may not."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page, expect

_FOREIGN = """async () => {
  const refused = new Set();
  document.addEventListener("securitypolicyviolation", (e) => refused.add(e.effectiveDirective));
  const script = document.createElement("script");
  script.textContent = "document.title = 'owned'";
  document.body.append(script);
  const box = document.createElement("div");
  box.innerHTML = "<img src=/favicon.ico onerror=\\"document.title = 'owned'\\">" +
    "<img src='http://127.0.0.2:9/x'><iframe src='/tasks'></iframe>";
  document.body.append(box);
  await fetch("http://127.0.0.2:9/").catch(() => {});
  while (refused.size < 5) await new Promise((done) => setTimeout(done, 50));
}"""


def overhear(complaints: list[str], message: ConsoleMessage) -> None:
    if message.type in {"error", "warning"} and "status of 404" not in message.text:
        complaints.append(message.text)


def every_page(page: Page, url: str, live: str) -> None:
    """Those with scripts do what they are for: no line of the policy is in their way."""
    page.goto(f"{url}/workers")
    row = page.locator("#workers-table tbody tr")
    expect(row).to_have_count(1, timeout=15_000)
    assert page.evaluate("autorefresh") == 1  # the one script that a page has in itself
    name = row.locator("a").first.inner_text()
    page.goto(f"{url}/worker/{name}")
    expect(page.locator("#tab-pool")).to_be_visible()
    page.click('[data-bs-target="#tab-tasks"]')
    expect(page.locator("#tab-tasks")).to_be_visible()
    for path, words in (
        ("broker", "worker.02"),  # the pool's only until its host knows that 02 is kept
        ("nothing/here", "not found"),
        (f"task/{live}", live),
    ):
        page.goto(f"{url}/{path}")
        expect(page.locator("body")).to_contain_text(words)
    page.click("#theme-toggle")
    page.click('[data-bs-theme-value="dark"]')
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def nothing_foreign_runs(page: Page, url: str, complaints: list[str]) -> None:
    """What an agent might get into a page some day: a script, a handler, another host, a frame."""
    page.goto(f"{url}/tasks")
    complaints.clear()
    page.evaluate(_FOREIGN)
    page.wait_for_timeout(0)
    assert page.title().endswith("Flower"), page.title()
    assert sum("Content Security Policy" in one for one in complaints) >= 4, complaints
