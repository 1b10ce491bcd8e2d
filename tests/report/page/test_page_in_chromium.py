"""The page as people use it, in a browser: it asks for nothing, and every part follows a choice."""

import pytest
from chromium import BINARY, browser

from segue.report.page.write import write

pytestmark = pytest.mark.skipif(
    BINARY is None, reason="no Chromium: install Debian's package chromium, as .ci/run does"
)
CELL = "ssn × ensemble"


@pytest.fixture(scope="module")
def page(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write(path, study=str(study))
    return path


@pytest.fixture(scope="module")
def window():
    with browser() as tab:
        yield tab


@pytest.fixture
def tab(window, page):
    """The page, opened anew; nothing it did may have been asked of a host or gone wrong."""
    window.open(page)
    yield window
    assert window.requests() == [page.as_uri()]
    assert window.errors() == []


def pressed(tab):
    return set(
        tab.run(
            "[...document.querySelectorAll('.cell[aria-pressed=true]')].map(b => b.dataset.cell)"
        )
    )


def column(tab, of, place):
    cells = (
        f"[...document.querySelectorAll('{of} tbody tr')].map(r => r.cells[{place}].dataset.value)"
    )
    return tab.run(cells)


def test_it_opens_from_the_disk_and_draws_every_chart(tab):
    assert tab.run("page.charts.length") > 8
    assert tab.run(
        "[...document.querySelectorAll('.chart')].every(c => c.querySelector('svg path'))"
    )


def test_a_click_on_a_cell_is_seen_everywhere(tab):
    tab.run(f"document.querySelector('.maps:not([hidden]) [data-cell=\"{CELL}\"]').click()")
    assert pressed(tab) == {CELL}
    assert tab.run("document.getElementById('chosen').value") == CELL
    assert (
        tab.run("[...views.values()].filter(v => 'chosen' in v.view.getState().signals).length") > 8
    )
    told = "[...views.values()].map(v => v.view.getState().signals.chosen ?? null)"
    assert set(tab.run(told)) <= {CELL, None}
    assert tab.run("document.getElementById('cell-a').value") == CELL
    assert tab.run(
        "document.querySelector('.entry .pair > div:last-child b').textContent"
    ).startswith(CELL)
    tab.run("document.getElementById('clear').click()")
    assert pressed(tab) == set()


def test_a_click_on_a_mark_of_a_chart_chooses_its_cell(tab):
    tab.run("document.getElementById('ranks').scrollIntoView({behavior: 'instant'})")
    at = """(() => {
      const chart = document.getElementById("ranks-performance");
      const marks = [...chart.querySelectorAll("path[aria-roledescription=point]")];
      const box = marks.at(-1).getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()"""
    x, y = tab.run(at)
    for kind in ("mousePressed", "mouseReleased"):
        tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    tab.wait("choice.chosen !== ''")
    assert pressed(tab) == {tab.run("choice.chosen")}


def test_the_keyboard_goes_from_cell_to_cell(tab):
    tab.run(f"document.querySelector('.maps:not([hidden]) [data-cell=\"{CELL}\"]').focus()")
    tab.press("ArrowLeft")
    focused = "document.activeElement.dataset.cell"
    assert tab.run(focused) == "softmax × ensemble"
    tab.press("ArrowUp")  # softmax × none is not there: none is between it and the border
    assert tab.run(focused) == "softmax × ensemble"
    tab.run("document.activeElement.click()")
    assert pressed(tab) == {"softmax × ensemble"}
    tab.press("Escape")
    assert pressed(tab) == set()


def test_another_variant_shows_other_maps_and_points(tab):
    before = tab.run("document.querySelector('#scatter-ood-ood svg').outerHTML")
    tab.run("""(() => {
      const select = document.querySelector('[data-choice=variant]');
      select.value = 'jackknife';
      select.dispatchEvent(new Event('change'));
    })()""")
    shown = "[...document.querySelectorAll('.maps:not([hidden])')].map(m => m.dataset.variant)"
    assert tab.run(shown) == ["jackknife"]
    tab.wait("views.get('scatter-ood-ood').view.signal('variant') === 'jackknife'")
    tab.run("views.get('scatter-ood-ood').view.runAsync().then(() => true)")
    assert tab.run("document.querySelector('#scatter-ood-ood svg').outerHTML") != before


def test_a_chart_without_the_chosen_dataset_says_which_it_shows(tab):
    tab.run("choice.dataset = 'lung', follow()")
    said = tab.run("document.querySelector('#ranks figcaption').textContent")
    assert said == "Performance (discs; there is none of lung)"
    assert tab.run("views.get('ranks-performance').view.signal('dataset')") == "discs"
    tab.run("choice.dataset = 'discs', follow()")
    assert tab.run("document.querySelector('#ranks figcaption').textContent") == "Performance"


def test_tables_are_sorted_and_filtered_and_their_files_are_whole(tab, study):
    table = "details[data-table=deltas]"
    tab.run(f"document.querySelector('{table}').open = true")
    tab.wait(f"document.querySelector('{table} tbody tr') !== null")
    text = (study / "tables/deltas.csv").read_text()
    assert tab.run("unpacked(page.tables.deltas)") == text
    place = text.splitlines()[0].split(",").index("delta")
    unsorted = [row.split(",")[place] for row in text.splitlines()[1:]]
    assert column(tab, table, place) == unsorted
    head = f"document.querySelectorAll('{table} th button')[{place}]"
    tab.run(f"{head}.click()")
    assert column(tab, table, place) == sorted(unsorted, key=float)
    assert tab.run(f"{head}.parentElement.ariaSort") == "ascending"
    tab.run(f"{head}.click()")
    assert column(tab, table, place) == sorted(unsorted, key=float, reverse=True)
    tab.run(f"""(() => {{
      const words = document.querySelector('{table} input');
      words.value = 'ssn ood';
      words.dispatchEvent(new Event('input'));
    }})()""")
    left = tab.run(f"document.querySelectorAll('{table} tbody tr:not([hidden])').length")
    assert left == sum("ssn" in row and "ood" in row for row in text.splitlines()[1:])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\n1,"x, ""y"""\n,\n', [["a", "b"], ["1", 'x, "y"'], ["", ""]]),
        ('a\n"one\ntwo"\n', [["a"], ["one\ntwo"]]),
        ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
    ],
)
def test_csv_is_read_as_it_is_written(tab, text, rows):
    assert tab.run(f"rowsOf({text!r})".replace("'", "`")) == rows


def test_empty_fields_come_last_either_way(tab):
    script = """(() => {
      const table = tableOf([["n"], ["2"], [""], ["10"], ["-1"]]);
      const heads = table.querySelector("th button"), found = [];
      for (let i = 0; i < 2; i++) {
        heads.click();
        found.push([...table.tBodies[0].rows].map((row) => row.cells[0].dataset.value));
      }
      return found;
    })()"""
    assert tab.run(script) == [["-1", "2", "10", ""], ["10", "2", "-1", ""]]


def test_images_are_sorted_and_shown_beside_their_originals_and_another_cell(tab):
    choose = """((id, value) => {
      const each = document.getElementById(id);
      if (typeof value === "boolean") each.checked = value; else each.value = value;
      each.dispatchEvent(new Event("change"));
    })"""
    for id, value in (("split", "ood_blur"), ("cell-a", CELL), ("order", "Dice")):
        tab.run(f"{choose}('{id}', '{value}')")
    dice = tab.run(
        "[...document.querySelectorAll('.strip b')]"
        ".map(b => +b.textContent.match(/Dice (\\S+),/)[1])"
    )
    assert dice == sorted(dice, reverse=True)
    assert len(set(dice)) > 1
    tab.run(f"{choose}('cell-b', 'softmax × ensemble')")
    tab.run(f"{choose}('original', true)")
    entry = "document.querySelector('.entry')"
    heads = tab.run(f"[...{entry}.querySelectorAll('h3')].map(h => h.textContent)")
    assert "ood_blur" in heads[0]
    assert "id, image" in heads[1]
    assert heads[0].split()[2] == heads[1].split()[2]
    assert tab.run(f"{entry}.querySelectorAll('.strip').length") == 2 * 3
    assert tab.run(f"{entry}.querySelectorAll('.strip path').length") == 2 * 3  # outlines of raters


def test_every_picture_and_chart_has_words(tab):
    assert tab.run(
        "[...document.querySelectorAll('[role=img]')].every(e => e.ariaLabel?.length > 10)"
    )
    assert tab.run("[...document.querySelectorAll('img')].every(e => e.alt.length > 0)")
    named = "e => e.labels?.length || e.ariaLabel || e.textContent.trim()"
    assert tab.run(f"[...document.querySelectorAll('select, input, button')].every({named})")


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_any_window_and_look(tab, page, width, look):
    tab.open(page, width=width, look=look)
    assert tab.run("document.documentElement.scrollWidth") <= width
    channels = tab.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(channels) > 600) == (look == "light")
    tab.run("document.getElementById('look').click()")
    changed = tab.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(changed) > 600) != (look == "light")


def test_words_and_numbers_of_maps_can_be_read_in_both_looks(tab, page):
    """Contrast of at least 4.5 to 1, as WCAG 2 asks for, between text and what is behind it."""
    script = """(() => {
      const options = { willReadFrequently: true };
      const canvas = document.createElement("canvas").getContext("2d", options);
      const rgb = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const light = (colour) => rgb(colour).map((c) => c / 255)
        .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
      const ratio = (a, b) => {
        const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
      };
      const sheet = getComputedStyle(document.body).backgroundColor;
      const found = [...document.querySelectorAll(".note, .tag, .from, nav a, .holds")]
        .map((e) => ratio(getComputedStyle(e).color, sheet));
      const map = document.querySelector("table.map");
      const button = map.querySelector(".cell");
      for (let v = 0; v <= 1.001; v += 0.05) {
        button.style.setProperty("--v", v);
        button.classList.toggle("strong", v > 0.66);
        found.push(ratio(getComputedStyle(button).color, getComputedStyle(button).backgroundColor));
      }
      return Math.min(...found);
    })()"""
    for look in ("light", "dark"):
        tab.open(page, look=look)
        assert tab.run(script) >= 4.5, look
