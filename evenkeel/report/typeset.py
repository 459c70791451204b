"""Typesetting: names, sympy expressions and escaped text for Markdown and LaTeX."""

import re
import unicodedata
from typing import TYPE_CHECKING, Any

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
SCRIPT = r"[_^](?:\{[^{}]*\}|-?\((?:[^()]|\([^()]*\))*\)|-?[A-Za-z0-9]+|[*+])"
_TOKEN = re.compile(
    rf"(?P<scripts>(?:{SCRIPT})+)|(?P<name>BF-IO|[A-Za-z]+)(?P<digits>\d*)|(?P<space> +)"
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
            for script in re.findall(SCRIPT, match["scripts"]):
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


def escape_markdown(text: str) -> str:
    """Text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#$|~])", r"\\\1", text)


_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    # What people type beyond ASCII; Latin letters with accents stay as they are.
    **{"–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''", "…": r"\dots{}"},
    **{"≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$", "→": r"$\to$", "∈": r"$\in$"},
    **{"≈": r"$\approx$", "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "∞": r"$\infty$"},
    **{"∑": r"$\sum$", "√": r"$\sqrt{}$", "−": "$-$", "²": "$^2$", "³": "$^3$"},
}


def escape_latex(text: str) -> str:
    r"""Text whose characters mean nothing to LaTeX.

    >>> print(escape_latex('a "b" & 3 ≤ α'))
    a ``b'' \& 3 $\le$ $\alpha$
    """
    quoted = re.sub(r'(?<![^\s(\[])"(?=\S)', "“", text).replace('"', "”")
    return "".join(map(_character, quoted))


def _character(it: str) -> str:
    if it in _TEX or it.isascii():
        return _TEX.get(it, it)
    name = unicodedata.name(it, "").lower()
    if (greek := re.fullmatch(r"greek (small|capital) letter (\w+)", name)) is not None:
        letter = {"lamda": "lambda"}.get(greek[2], greek[2])
        letter = letter if greek[1] == "small" else letter.title()
        return maths(letter).join("$$")
    # The fonts have the letters of European languages.
    return it if "\u00c0" <= it <= "\u017f" else f"[U+{ord(it):04X}]"


def latex(expression: "sympy.Basic") -> str:
    """The expression in LaTeX, its symbols set as the running text sets them."""
    import sympy
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):  # type: ignore[misc]
        def _as_ordered_terms(self, sum_: "sympy.Add", order: str | None = None) -> list[Any]:
            """The terms as sympy orders them, those with a minus sign last: b - a."""
            terms = super()._as_ordered_terms(sum_, order)
            return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))

    names = {}
    for symbol in expression.atoms(sympy.Symbol):
        compound = re.fullmatch(r"\w+ ?[-+/] ?\w+", symbol.name)
        names[symbol] = f"({maths(symbol.name)})" if compound else maths(symbol.name)
    return str(Printer({"symbol_names": names}).doprint(expression))


def pieces(text: str) -> list[str]:
    r"""A formula in LaTeX, taken apart before the plus and minus signs outside of all brackets.

    >>> pieces(r"a - \left(b + c\right) + \frac{d + e}{2}")
    ['a', '- \\left(b + c\\right)', '+ \\frac{d + e}{2}']
    """
    found, depth = [""], 0
    for token in re.split(r"(\\left\b|\\right\b|\\[{}]|[{}]| [-+] )", text):
        if token in (" + ", " - ") and not depth and found[-1]:
            found.append(token.lstrip())
            continue
        depth += (token in ("{", r"\left")) - (token in ("}", r"\right"))
        found[-1] += token
    return found


def shortened(text: str, length: int, end: str = " …") -> str:
    """The text, cut after ``length`` characters.

    >>> shortened("abcdef", 3)
    'abc …'
    """
    return text if len(text) <= length else text[:length] + end
