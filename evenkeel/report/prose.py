r"""Running text with formulas in it, for Markdown and LaTeX.

Statements are written as people type them, ``P_max W + P_idle I <= E``.  Here the longest parts
that read as a formula become ``$...$``, and the rest is escaped.  A letter that stands alone is a
variable, unless it is an article or the unit of a number.
"""

import re
from collections.abc import Callable

from evenkeel.report.typeset import GREEK, RELATIONS, SCRIPT, maths

_GREEK = "|".join(sorted(GREEK, key=len, reverse=True))
_ATOM = re.compile(
    r"(?P<power>\d+(?:\.\d+)?e[-+]?\d+(?!\w))"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?(?:(?![.\w]*\w)|(?=[A-Za-rt-z](?![\w.]))))"
    r"|(?P<dots>\.\.\.(?=[ ,)]))"
    # An identifier such as always_busiest is none.
    rf"|(?P<scripted>(?!(?!{_GREEK}|max|min|sum)[a-z]{{2,}}_[a-z]{{2,}})[A-Za-z]+\d*(?:{SCRIPT})+)"
    rf"|(?P<greek>(?:{_GREEK})\d*(?!\w|-[a-z]{{2}}))"
    r"|(?P<function>(?:max|min|sup|log|ln|exp|sum|sqrt|floor|ceil)(?!\w)) ?"
    r"|(?P<name>(?:IIR|AvgImb|E?Imb|EX|dP)(?!\w))"
    r"|(?P<article>[aA](?= (?:[-+=<>*/]|and\b|or\b)|[-+/*)\],;:.=]|\Z))"
    r"|(?P<letter>(?:(?<!\d )[Ws]|[b-rt-zB-VX-Z])(?!\w|\.[a-z]))"
)
_POLICY = re.compile(r"BF-IO|FCFS")  # what else may stand in the brackets of a function
_SCRIPTS = re.compile(rf"(?:{SCRIPT})+")
_SIGN = re.compile(r"(?P<space> ?)(?P<sign><=|>=|!=|->|[-+/*=<>])(?P=space)")
_RELATION = re.compile(r"(?:<=|>=|!=|->|<|>)(?!\S)")
_START = re.compile(
    rf"(?<![\w.'-])(?=[A-Za-z\d(\[])|(?<![^\s(])(?=-[A-Za-z\d(])"
    rf"|(?={_RELATION.pattern})|(?<=[)\]|])(?=[_^])"
)
_CLOSING = {"(": ")", "[": "]"}
_AROUND = {
    "sqrt": (r"\sqrt{", "}"),
    "floor": (r"\lfloor ", r" \rfloor"),
    "ceil": (r"\lceil ", r" \rceil"),
}

# What was read, in LaTeX and empty if it is no mathematics, and where it ends.
Read = tuple[str, int]


def prose(text: str, escape: Callable[[str], str]) -> str:
    r"""Running text with its mathematics between dollars and the rest escaped.

    >>> from evenkeel.report.typeset import escape_latex
    >>> print(prose("40 % of P_idle; (G-1)(b-a) <= 2 sqrt(B ln G) for a B >= 2", escape_latex))
    40 \% of $P_{\mathrm{idle}}$; $(G-1)(b-a) \le 2\,\sqrt{B\,\ln G}$ for a $B \ge 2$
    """
    parts, done = [], 0
    for match in _START.finditer(text):
        at = match.start()
        if at < done:
            continue
        formula, end = _formula(text, at)
        if re.search("^-|[A-Za-z^]", formula):
            parts += [escape(text[done:at]), f"${formula}$"]
            done = end
    return "".join([*parts, escape(text[done:])])


def _formula(text: str, at: int, inside: bool = False) -> Read:
    """The longest formula that begins at a place."""
    if scripts := _SCRIPTS.match(text, at):
        return "{}" + maths(scripts[0]), scripts.end()
    if sign := _RELATION.match(text, at):
        right, end = _formula(text, sign.end() + 1, inside)
        found = RELATIONS[sign[0]]
        return (f"{found} {right}", end) if right else (found, sign.end())
    minus = "-" * text.startswith("-", at)
    found, end = _atom(text, at + len(minus), inside)
    while found:
        if sign := _SIGN.match(text, end):
            right, after = _atom(text, sign.end(), inside)
            shown = RELATIONS.get(sign["sign"], sign["sign"]).replace("*", r"\cdot")
            joined = f" {shown} " if sign["space"] or shown[0] == "\\" else shown
        else:
            right, after = _factor(text, end, inside)
            joined = r"\," if text[end : end + 1] == " " else ""
        if not right:
            break
        found, end = found + joined + right, after
    return (minus + found, end) if found else ("", at)


def _factor(text: str, at: int, inside: bool) -> Read:
    """What a product goes on with: no number, and no condition in parentheses behind a space."""
    gap = text.startswith(" ", at)
    if text[at + gap : at + gap + 1].isdigit():
        return "", at
    right, after = _atom(text, at + gap, inside)
    condition = gap and right[:1] in _CLOSING and re.search(r"[=<>]|\\[lg]e ", right)
    return ("", at) if condition else (right, after)


def _atom(text: str, at: int, inside: bool) -> Read:
    """A number, variable, function of something or bracket, with the scripts behind it."""
    if text[at : at + 1] in _CLOSING:
        found, end = _bracket(text, at)
    elif inside and (policy := _POLICY.match(text, at)):
        found, end = rf"\text{{{policy[0]}}}", policy.end()
    elif not (match := _ATOM.match(text, at)):
        return "", at
    elif match["function"]:
        found, end = _applied(text, match, inside)
    elif match["power"]:
        factor, _, power = match[0].partition("e")
        found, end = rf"{factor} \cdot 10^{{{int(power)}}}", match.end()
    elif match["number"] or match["dots"]:
        found, end = match[0].replace(",", "{,}").replace("...", r"\dots"), match.end()
    else:
        found, end = maths(match[0]), match.end()
        argument, after = _bracket(text, end)
        found, end = (found + argument, after) if argument else (found, end)
    if found and (scripts := _SCRIPTS.match(text, end)):
        found, end = found + maths(scripts[0]), scripts.end()
    return found, end


def _applied(text: str, match: re.Match[str], inside: bool) -> Read:
    """A function with what it is applied to; its name alone is a word."""
    name, at = match["function"], match.end()
    if name in _AROUND:
        argument, end = _bracket(text, at)
        before, behind = _AROUND[name]
        return (before + argument[1:-1] + behind, end) if argument else ("", at)
    argument, end = _atom(text, at, inside)
    gap = "" if argument[:1] in _CLOSING else " "
    return (maths(name) + gap + argument, end) if argument else ("", at)


def _bracket(text: str, at: int) -> Read:
    """A bracket with formulas in it, commas between them."""
    closing = _CLOSING.get(text[at : at + 1])
    found, end = text[at : at + 1], at + 1
    while closing:
        inner, end = _formula(text, end, inside=True)
        if not inner:
            return "", at
        found += inner
        if text[end : end + 1] == closing:
            return found + closing, end + 1
        if text[end : end + 2] != ", ":
            return "", at
        found, end = found + r",\,", end + 2
    return "", at
