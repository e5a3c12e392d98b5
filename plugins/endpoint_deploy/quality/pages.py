"""A page on a suite's outcome that needs nothing but itself: Data Docs are unstyled without the net."""

from html import escape
from pathlib import Path
from typing import Final

from endpoint_deploy.quality.results import SuiteResult

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.verdict { font-weight: 600; }
.met { color: light-dark(#17663a, #6fd39b); }
.failed { color: light-dark(#a3231b, #ff9b92); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; }
th, td { border-bottom: 1px solid #8884; }
td { overflow-wrap: anywhere; }
"""


def write_summary(page: Path, result: SuiteResult, *, title: str, rows: int) -> None:
    """Write the page; `title` says what was checked, `rows` how many rows it had."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_render(result, title or result.suite, rows), encoding="utf-8")


def _render(result: SuiteResult, title: str, rows: int) -> str:
    verdict, kind = ("All met", "met") if result.success else (f"{len(result.failed)} not met", "failed")
    table = ""
    if result.failed:
        lines = "".join(
            f"<tr><td>{escape(failed.column or '(the whole table)')}</td><td>{escape(failed.found)}</td>"
            f"<td>{escape(failed.expected)}</td></tr>\n"
            for failed in result.failed
        )
        table = (
            f"<table>\n<thead><tr><th scope=col>Column<th scope=col>Found<th scope=col>Expected</thead>\n"
            f"<tbody>\n{lines}</tbody>\n</table>\n"
        )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n"
        f'<p class="verdict {kind}">{verdict} of {result.evaluated} expectations over {rows:,} rows</p>\n'
        f'<p>Suite: {escape(result.suite)}. <a href="index.html">Data Docs</a></p>\n'
        f"{table}</body>\n</html>\n"
    )
