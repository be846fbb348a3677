"""The overview as one page: no script, no font and no picture from elsewhere, so that it can be mailed and archived.

Every text comes from a product's files and is escaped; the page forbids scripts to its reader's browser besides.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path

from outrider.common.words import counted, some
from outrider.gateway.findings import Place, Severity
from outrider.gateway.governance.overview import Broken, Ending, Overview, ProductStanding, Serving, broken_rules

_CSS = Path(__file__).with_name("page.css")
_MARK = {Severity.ERROR: "bad", Severity.WARN: "warn", Severity.INFO: "info", Severity.HINT: "info"}
_SOON = 30
"""Days in which something ends that is shown as a warning."""
_AHEAD = 270
"""Days that the calendar shows."""
_LATE = 60
"""Percent of the calendar from which on a text stands to the left of its mark."""
_LINES, _PLACES, _FAULTS = 12, 40, 3
"""So many ends, places of one rule, faults of one product are told one by one."""


def page(overview: Overview) -> str:
    """An HTML document."""
    today = overview.at.date()
    sections = (
        _header(overview),
        _figures(overview, today),
        _calendar(overview, today),
        _products(overview.products),
        _rules(overview),
        _exempt(overview.products, today),
        _endings(overview.products, today),
        _footer(overview),
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>API governance, {today}</title>
<style>
{_CSS.read_text(encoding="utf-8")}</style>
</head>
<body>
{"".join(sections)}</body>
</html>
"""


def _header(overview: Overview) -> str:
    failing = [standing.product for standing in overview.products if standing.errors]
    if not failing:
        exempt = sum(len(standing.exempt) for standing in overview.products)
        but = f", but for {counted(exempt, 'exemption')}" if exempt else ""
        verdict = f"Every product follows the rules{but}."
    elif len(failing) == 1:
        verdict = f"{escape(failing[0])} breaks rules and can't be published as it is."
    else:
        verdict = f"{len(failing)} products break rules and can't be published as they are: {escape(some(failing))}."
    when = overview.at.strftime("%-d %B %Y, %H:%M UTC")
    commit = f", commit <code>{escape(overview.commit[:10])}</code>" if overview.commit else ""
    return f'<header><h1>API governance</h1><p>{when}{commit}</p><p class="verdict">{verdict}</p></header>\n'


def _figures(overview: Overview, today: date) -> str:
    products = overview.products
    passing = sum(not standing.errors for standing in products)
    exemptions = [exemption for standing in products for _, exemption in standing.exempt]
    endings = [ending for standing in products for ending in standing.endings]
    live = sum(standing.serving is not None for standing in products)
    warnings = sum(standing.warnings for standing in products)
    soon = sum((each.until - today).days <= _SOON for each in exemptions)
    failing = len(products) - passing
    cells = (
        (
            "Products",
            len(products),
            f"{live} live, {counted(sum(each.operations for each in products), 'operation')}",
            "",
        ),
        ("Follow the rules", passing, f"{failing} do not" if failing else "all of them", "bad" if failing else "good"),
        ("Warnings", warnings, f"in {counted(sum(bool(each.warnings) for each in products), 'product')}", ""),
        ("Waivers and approvals", len(exemptions), f"{soon} end within {_SOON} days", "warn" if soon else ""),
        ("Sunsets to come", len(endings), _next(endings, today), ""),
    )
    shown = "".join(
        f'<div class="{kind}"><dt>{name}</dt><dd>{number}</dd><small>{escape(note)}</small></div>'
        for name, number, note, kind in cells
    )
    return f'<dl class="figures">{shown}</dl>\n'


def _calendar(overview: Overview, today: date) -> str:
    """What ends when: waivers and sunsets, each on a line of its own."""
    events = sorted(
        [
            *(
                (exemption.until, "warn", standing.product, f"may break {exemption.rule}")
                for standing in overview.products
                for _, exemption in standing.exempt
            ),
            *(
                (ending.sunset, "info", ending.product, ending.operation)
                for standing in overview.products
                for ending in standing.endings
            ),
        ]
    )
    ahead = [event for event in events if (event[0] - today).days <= _AHEAD][:_LINES]
    if not ahead:
        return ""
    months = "".join(
        f'<span style="left:{_percent(first, today):.2f}%">{first.strftime("%B")}</span>' for first in _months(today)
    )
    rows = "".join(_event(*event, today) for event in ahead)
    more = f'<p class="empty">and {len(events) - len(ahead)} later</p>' if len(events) > len(ahead) else ""
    return (
        "<h2>What ends when</h2>"
        f'<div class="card"><div class="calendar"><div class="axis">{months}</div>{rows}</div>{more}</div>\n'
    )


def _event(when: date, kind: str, product: str, what: str, today: date) -> str:
    percent = _percent(when, today)
    late = " late" if percent > _LATE else ""
    kind = "bad" if when < today else kind
    return (
        f'<div class="row"><div class="event {kind}{late}" style="left:{percent:.2f}%">'
        f"<b>{escape(product)}</b> {escape(what)} <span>{when.strftime('%-d %b %Y')}</span></div></div>"
    )


def _products(products: Sequence[ProductStanding]) -> str:
    rows = "".join(
        _product(standing) for standing in sorted(products, key=lambda each: (not each.errors, each.product))
    )
    return _section(
        "Products", _table(("Product", "Owner", "API", "Live", "Rules", "Errors", "Warnings", "Waived"), rows)
    )


def _product(standing: ProductStanding) -> str:
    faults = "".join(f'<small class="long">{escape(fault)}</small>' for fault in standing.faults[:_FAULTS])
    version = standing.report.version if standing.report else ""
    mark = '<span class="mark bad">breaks</span>' if standing.errors else '<span class="mark good">follows</span>'
    return (
        f"<tr><td><b>{escape(standing.product)}</b>{faults}</td>{_cell(standing.owner, standing.contact)}"
        f"{_cell(version, counted(standing.operations, 'operation'))}<td>{_live(standing.serving)}</td><td>{mark}</td>"
        f"{_number(standing.errors)}{_number(standing.warnings)}{_number(len(standing.exempt))}</tr>"
    )


def _live(serving: Serving | None) -> str:
    if serving is None:
        return '<span class="mark info">not live</span>'
    shares = ", ".join(f"{name} {share} %" for name, share in serving.split.items())
    bar = "".join(f'<span style="width:{share}%"></span>' for share in serving.split.values())
    split = f'<div class="split">{bar}</div><small>{escape(shares)}</small>' if len(serving.split) > 1 else ""
    return f"release {serving.release}<small>{serving.at[:10]} by {escape(_person(serving.by))}</small>{split}"


def _rules(overview: Overview) -> str:
    rules = broken_rules(overview)
    most = max((len(rule.findings) for rule in rules), default=1)
    shown = "".join(_rule(rule, most) for rule in rules)
    changes = "".join(
        f"<tr><td><b>{escape(standing.product)}</b></td><td>{_severity(change.severity)}</td>"
        f"<td>{escape(change.message)}"
        f"<small><code>{escape(change.rule)}</code> {_where(change.place)}</small></td></tr>"
        for standing in overview.products
        for change in (standing.report.changes if standing.report else ())
    )
    body = f'<div class="card">{shown or _nothing("No rule is broken.")}</div>'
    later = _section("Changes that break callers", _table(("Product", "", "What"), changes)) if changes else ""
    return f"<h2>Findings by rule</h2>{body}\n{later}"


def _rule(rule: Broken, most: int) -> str:
    kind, count = _MARK[rule.severity], len(rule.findings)
    places = "".join(
        f"<li><b>{escape(product)}</b> {escape(finding.message)}<small>{_where(finding.place)}</small></li>"
        for product, finding in rule.findings[:_PLACES]
    )
    rest = f"<p>and {count - _PLACES} more</p>" if count > _PLACES else ""
    mend = f"<p><b>To mend it:</b> {escape(rule.mend)}</p>" if rule.mend else ""
    products = counted(rule.products, "product")
    return (
        f'<details class="rule"><summary><span><code>{escape(rule.rule)}</code> {_severity(rule.severity)}</span>'
        f'<span class="bar"><span class="{kind}" style="width:{100 * count / most:.1f}%"></span></span>'
        f'<span class="count">{count} in {products}</span></summary>'
        f'<div class="inside"><p>{escape(rule.why)}</p>{mend}<ul>{places}</ul>{rest}</div></details>'
    )


def _exempt(products: Sequence[ProductStanding], today: date) -> str:
    exempt = [(each.product, *one) for each in products for one in each.exempt]
    rows = "".join(
        f"<tr><td>{_until(exemption.until, today)}</td>"
        f"<td><b>{escape(product)}</b><small>{escape(exemption.owner)}</small></td>"
        f"<td><code>{escape(exemption.rule)}</code><small><code>{escape(exemption.place)}</code></small></td>"
        f'<td>{escape(exemption.reason)}<small class="long">{escape(found.message)}</small></td>'
        f"<td>{escape(exemption.approver)}</td></tr>"
        for product, found, exemption in sorted(exempt, key=lambda each: (each[2].until, each[0], each[2].rule))
    )
    table = _table(("Ends", "Product", "Rule", "Reason", "Approved by"), rows)
    return _section("Waivers and approvals", table if rows else _nothing("Nothing is let pass."))


def _endings(products: Iterable[ProductStanding], today: date) -> str:
    endings = sorted(
        (ending for each in products for ending in each.endings), key=lambda one: (one.sunset, one.product)
    )
    rows = "".join(
        f"<tr><td>{_until(ending.sunset, today)}</td><td><b>{escape(ending.product)}</b></td>"
        f"<td><code>{escape(ending.operation)}</code></td></tr>"
        for ending in endings
    )
    table = _table(("Ends", "Product", "Operation"), rows)
    return _section("Operations that will end", table if rows else _nothing("No sunset is announced."))


def _footer(overview: Overview) -> str:
    books = dict.fromkeys(each.report.by for each in overview.products if each.report)
    rules = ", ".join(f"<code>{escape(name)}</code>" for name in dict.fromkeys(book.ruleset for book in books))
    files = ", ".join(
        f"<code>{escape(name)}</code>" for name in dict.fromkeys(book.governance for book in books) if name
    )
    under = f" under {files}" if files else ""
    checked = f"Checked against {rules or 'nothing'}{under}."
    return f"<footer>{checked} Written by <code>outrider gateway report</code>.</footer>\n"


def _section(head: str, body: str) -> str:
    return f'<h2>{head}</h2><div class="card"><div class="scroll">{body}</div></div>\n'


def _table(heads: Sequence[str], rows: str) -> str:
    numbers = ("Errors", "Warnings", "Waived")
    cells = "".join(f"<th{' class=number' if head in numbers else ''}>{head}</th>" for head in heads)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


def _nothing(text: str) -> str:
    return f'<p class="empty">{text}</p>'


def _cell(text: str, small: str) -> str:
    return f"<td>{escape(text)}{f'<small>{escape(small)}</small>' if small else ''}</td>"


def _number(number: int) -> str:
    return f'<td class="number">{number or "–"}</td>'


def _severity(severity: Severity) -> str:
    return f'<span class="mark {_MARK[severity]}">{severity.noun}</span>'


def _where(place: Place) -> str:
    return f"<code>{escape(str(place))}</code>"


def _until(when: date, today: date) -> str:
    days = (when - today).days
    kind = "bad" if days < 0 else "warn" if days <= _SOON else "info"
    words = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days" if days > 0 else f"{-days} days ago")
    return f'<span class="mark {kind}">{words}</span><small>{when.strftime("%-d %B %Y")}</small>'


def _next(endings: Iterable[Ending], today: date) -> str:
    first = min((ending.sunset for ending in endings if ending.sunset >= today), default=None)
    return f"the next on {first.strftime('%-d %B')}" if first else "none is announced"


def _months(today: date) -> Iterable[date]:
    """The first days of the months that the calendar shows."""
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    while (first - today).days < _AHEAD:
        yield first
        first = (first + timedelta(days=32)).replace(day=1)


def _percent(when: date, today: date) -> float:
    return min(max((when - today).days, 0), _AHEAD) * 100 / _AHEAD


def _person(by: str) -> str:
    """A name without its address."""
    return by.partition(" <")[0]
