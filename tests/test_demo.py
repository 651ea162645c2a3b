"""The demo's page in a real browser, of a desktop and of a phone: read, draw, go between, click on the map."""

import json
import shutil

import pytest

from wae_rnf.commands.main import main

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def address(trained_directory, monkeypatch):
    """The page, served."""
    pytest.importorskip("gradio", reason="the demo needs gradio, an extra of the package")
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    from wae_rnf.sharing.demo import build_demo

    page = build_demo(trained_directory)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True)
    yield address
    page.close()


@pytest.fixture(params=[(1200, 900), (360, 740)], ids=["desktop", "phone"])
def browser_page(address, request):
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("the browser test needs chromium")
    width, height = request.param
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(60_000)
        page.goto(address)
        yield page
        browser.close()


def wait_for(page, box, condition):
    """Waits until a condition holds of what a component shows, `text` in JavaScript; returns that text."""
    shown = f"(e => e?.querySelector('textarea')?.value ?? e?.innerText)(document.querySelector('#{box}'))"
    page.wait_for_function(f"(text => {condition})({shown} ?? '')")
    return page.evaluate(shown)


def test_the_page(browser_page):
    page = browser_page
    for box in ("tokens", "samples", "reconstruction", "bound"):  # without a click
        assert wait_for(page, box, "text.length > 1")
    page.fill("#sentence textarea", "the cat sat")
    page.click("#read")
    wait_for(page, "tokens", "text.includes('sat')")
    tokens = page.locator("#tokens div > span").all_inner_texts()
    assert [token.split()[0] for token in tokens][:4] == ["the", "cat", "sat", "<eos>"]
    page.get_by_label("Seed").fill("5")
    before = page.inner_text("#samples")
    page.click("#draw")
    wait_for(page, "samples", f"text != {json.dumps(before)}")
    page.get_by_role("tab", name="Between").click()
    page.fill("#steps input[type=number]", "4")
    page.locator("#steps input[type=number]").blur()
    assert len(wait_for(page, "between", "text.split('\\n').filter(Boolean).length == 4").splitlines()) >= 4
    page.get_by_role("tab", name="Map").click()
    page.wait_for_selector("#map img")
    page.wait_for_timeout(500)
    page.locator("#map img").scroll_into_view_if_needed()
    box = page.locator("#map img").bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    x, y = place(wait_for(page, "place", "text != '(0.00, 0.00)'"))
    page.wait_for_timeout(1000)  # the new picture is there, and nothing covers it
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    right, level = place(wait_for(page, "place", f"text != '({x:.2f}, {y:.2f})'"))
    assert right > x
    assert level == pytest.approx(y, abs=0.02)
    assert wait_for(page, "along", "text.length > 1").startswith("straight, length ")
    for tab in ("Samples", "Edit", "Between", "Map"):  # nothing is wider than the screen
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), tab


def place(text):
    return [float(value) for value in text.strip("()").split(",")]


def test_without_gradio_it_says_what_is_missing(trained_directory, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    assert main(["demo", str(trained_directory)]) == 2
    assert "the demo needs gradio: pip install gradio" in capsys.readouterr().err


def test_misuse(trained_directory, capsys):
    pytest.importorskip("gradio", reason="the demo needs gradio, an extra of the package")
    assert main(["demo", str(trained_directory), "--port", "0"]) == 2
    assert "--port must lie in 1 to 65535" in capsys.readouterr().err
