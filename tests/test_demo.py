"""The demo's page in a real browser: draw, reconstruct, go between two sentences, click on the map."""

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


@pytest.fixture
def browser_page(address):
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("the browser test needs chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(address)
        yield page
        browser.close()


def written(page, box):
    """What a text box holds once something is in it."""
    page.wait_for_function(f"document.querySelector('#{box} textarea').value.length > 1")
    return page.input_value(f"#{box} textarea")


def test_the_page(browser_page):
    page = browser_page
    page.click("#draw")
    assert len(written(page, "samples").splitlines()) <= 8
    page.get_by_role("tab", name="Reconstruct").click()
    page.fill("#sentence textarea", "the cat sat")
    page.click("#reconstruct")
    assert written(page, "reconstruction")
    page.get_by_role("tab", name="Between two sentences").click()
    page.fill("#first textarea", "the cat sat")
    page.fill("#second textarea", "rain fell all day long")
    assert written(page, "between")
    page.get_by_role("tab", name="Map").click()
    page.wait_for_selector("#map img")
    page.wait_for_timeout(500)
    box = page.locator("#map img").bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    assert written(page, "decoded")
    x, y = (float(value) for value in written(page, "place").strip("()").split(","))
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_function(f"document.querySelector('#place textarea').value != '({x:.2f}, {y:.2f})'")
    right, level = (float(value) for value in written(page, "place").strip("()").split(","))
    assert right > x
    assert level == pytest.approx(y, abs=0.02)
    assert written(page, "along").startswith("straight, length ")


def test_without_gradio_it_says_what_is_missing(trained_directory, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    assert main(["demo", str(trained_directory)]) == 2
    assert "the demo needs gradio: pip install gradio" in capsys.readouterr().err


def test_misuse(trained_directory, capsys):
    pytest.importorskip("gradio", reason="the demo needs gradio, an extra of the package")
    assert main(["demo", str(trained_directory), "--port", "0"]) == 2
    assert "--port must lie in 1 to 65535" in capsys.readouterr().err
