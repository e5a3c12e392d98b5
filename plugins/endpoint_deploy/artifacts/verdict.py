"""From what a pickle was seen to do to what is to be said of it.

Two judges: the list of trusted and condemned imports (`trust`), complete because the whole program was run on
stand-ins, and modelaudit-picklescan's own list of dangerous callables. The scanner's other rules are left
out: in the raw bytes of an array they see pickles and persistent ids that are none. So is its call graph,
which reads the source of whatever happens to be installed here, for seconds.
"""

import re
from typing import Final, Literal

from modelaudit_picklescan import ScanOptions, scan_bytes

from endpoint_deploy.artifacts.model import MIB, Finding
from endpoint_deploy.artifacts.pickles import Seen
from endpoint_deploy.artifacts.trust import is_condemned, is_trusted
from endpoint_deploy.artifacts.values import Global

_DANGEROUS: Final = frozenset({"DANGEROUS_CALL", "DANGEROUS_GLOBAL", "POST_BUDGET_GLOBAL"})
_OPTIONS: Final = ScanOptions(timeout_s=60, max_nested_pickle_bytes=MIB, max_string_literal_scan_chars=MIB)
_IDENTIFIER: Final = re.compile(r"^[A-Za-z_][\w.]*$")
_SHOWN: Final = 5

HoldOrNote = Literal["hold", "note"]


def judge_pickle(where: str, seen: Seen, *, declared: bool, unknown: HoldOrNote) -> list[Finding]:
    """Return what is to be said of a pickle at `where`.

    `declared`: its name or its first bytes say that it is one. Other bytes may read as a pickle by chance
    for a while, and are judged in full only where they do so to the end.
    """
    imports = list(seen.globals)
    if seen.error and not declared:
        imports = [
            name for name in imports if _IDENTIFIER.match(name.module) and _IDENTIFIER.match(name.name)
        ]
        # A program that breaks off has run until then: what it calls is no accident of reading.
        doubtful = [f"calls {name}" for name in imports if name in seen.calls and not is_trusted(name)]
    else:
        doubtful = [f"imports {name}" for name in imports if not is_trusted(name)]
        doubtful += [f"contains {doubt}" if doubt.startswith("a") else doubt for doubt in seen.doubts]
    condemned = [str(name) for name in imports if is_condemned(name)]
    if seen.forged and (declared or not seen.error):
        condemned.append("a name that it puts together as it runs")
    condemned += [name for name in _scan(where, seen, imports) if name not in condemned]
    if condemned:
        return [
            Finding(
                "unsafe-pickle",
                where,
                f"{where}: a pickle that on loading would reach {_some(condemned)}; "
                "expected nothing but the model's own data",
                "refuse",
            )
        ]
    if doubtful:
        return [
            Finding(
                "unknown-pickle",
                where,
                f"{where}: a pickle that could not be cleared: {_some(doubtful)}; expected only imports "
                "known to be harmless (set `unknown_pickles: accept` after a look at it)",
                unknown,
            )
        ]
    return []


def _scan(where: str, seen: Seen, imports: list[Global]) -> list[str]:
    if not imports:
        return []  # what imports nothing can do nothing
    report = scan_bytes(seen.residue, source=where, options=_OPTIONS, enrich_call_graph=False)
    names: dict[str, None] = {}
    for finding in report.findings:
        rules = {finding.rule_code, finding.details.get("nested_rule_code")}
        if rules & _DANGEROUS:
            nested = finding.details.get("nested_details") or {}
            reference = finding.details.get("import_reference") or nested.get("import_reference")
            names[str(reference or finding.message)] = None
    return list(names)


def _some(items: list[str]) -> str:
    shown = ", ".join(items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"
