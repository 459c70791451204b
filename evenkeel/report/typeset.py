"""Typesetting: plain text with inline formulas, and sympy expressions, for Markdown and LaTeX.

Statements are written as people type them, ``P_max W + P_idle I <= E``; here the parts that are
unmistakably mathematics (subscripts, powers, Greek names, relations) become ``$...$`` and the
rest is escaped.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy

_LETTERS = (
    "alpha beta gamma delta epsilon eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi "
    "omega Delta Lambda Sigma Phi Omega"
)
GREEK = frozenset(_LETTERS.split())
# Names that LaTeX sets in a way of their own.
NAMES = {
    "max": r"\max",
    "min": r"\min",
    "sup": r"\sup",
    "log": r"\log",
    "ln": r"\ln",
    "exp": r"\exp",
    "sum": r"\sum",
    "int": r"\int",
    "inf": r"\infty",
    "dP": r"\Delta P",
    "BF-IO": r"\text{BF-IO}",
}
RELATIONS = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "->": r"\to", "<": "<", ">": ">"}

# A subscript or power as people type it: _g, _max, _{c_g}, _(k-t), ^2, ^gamma, ^-(1-gamma), ^+.
_SCRIPT = r"[_^](?:\{[^{}]*\}|-?\([^()]*\)|[A-Za-z0-9]+|[*+])"
_GREEK = "|".join(sorted(GREEK, key=len, reverse=True))
_INLINE = re.compile(
    rf"(?P<scripted>(?:\b[A-Za-z]+\d*|(?<=[)\]|]))(?:{_SCRIPT})+)"
    rf"|(?P<greek>\b(?:{_GREEK})\d*\b)"
    r"|(?P<relation><=|>=|!=|->|<|>)"
)
_TOKEN = re.compile(
    rf"(?P<scripts>(?:{_SCRIPT})+)|(?P<name>BF-IO|[A-Za-z]+)(?P<digits>\d*)|(?P<space> +)"
)


def maths(text: str) -> str:
    r"""A short formula typed as plain text, in LaTeX.

    >>> print(maths("l_(g+1)"), maths("eta1"))
    l_{g+1} \eta_{1}
    """

    def token(match: re.Match[str]) -> str:
        if match["scripts"]:
            below: list[str] = []
            above: list[str] = []
            for script in re.findall(_SCRIPT, match["scripts"]):
                inner = script[1:]
                if inner[0] + inner[-1] in ("{}", "()"):
                    inner = inner[1:-1]
                (below if script[0] == "_" else above).append(maths(inner))
            return "".join(
                f"{mark}{{{','.join(scripts)}}}"
                for mark, scripts in (("_", below), ("^", above))
                if scripts
            )
        if match["space"]:
            return r"\ "
        name = match["name"]
        if name in GREEK:
            name = f"\\{name}"
        elif len(name) > 1:
            name = NAMES.get(name, rf"\mathrm{{{name}}}")
        return name + (f"_{{{match['digits']}}}" if match["digits"] else "")

    return _TOKEN.sub(token, text).replace("*", r"\ast ")


def _inline(match: re.Match[str]) -> str:
    if match["relation"]:
        return f"${RELATIONS[match['relation']]}$"
    text = match[0]
    return f"${'{}' if text[0] in '_^' else ''}{maths(text)}$"


def prose(text: str, escape: Callable[[str], str]) -> str:
    r"""Running text with its mathematics between dollars and the rest escaped.

    >>> print(prose("40 % of P_idle", escape_latex))
    40 \% of $P_{\mathrm{idle}}$
    """
    parts, end = [], 0
    for match in _INLINE.finditer(text):
        parts += [escape(text[end : match.start()]), _inline(match)]
        end = match.end()
    return "".join([*parts, escape(text[end:])])


def escape_markdown(text: str) -> str:
    """Text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#$|~])", r"\\\1", text)


_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    '"': "''",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def escape_latex(text: str) -> str:
    """Text whose characters mean nothing to LaTeX."""
    return "".join(_TEX.get(character, character) for character in text)


def latex(expression: "sympy.Basic") -> str:
    """The expression in LaTeX, its symbols set as the running text sets them."""
    import sympy

    names = {}
    for symbol in expression.atoms(sympy.Symbol):
        compound = re.fullmatch(r"\w+ ?[-+/] ?\w+", symbol.name)
        names[symbol] = f"({maths(symbol.name)})" if compound else maths(symbol.name)
    return str(sympy.latex(expression, symbol_names=names))


def shortened(text: str, length: int, end: str = " …") -> str:
    """The text, cut after ``length`` characters.

    >>> shortened("abcdef", 3)
    'abc …'
    """
    return text if len(text) <= length else text[:length] + end
