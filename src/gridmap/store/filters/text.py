"""Read CQL2 text into the objects that CQL2 JSON would have, in one pass and in time that grows with its length alone.

The parsers at hand try every bracket as a list too: a mistake inside twenty of them takes a second, inside fifty years.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

from gridmap.errors import UsageError

#: Brackets, NOTs and signs that may stand one inside another.
MOST_NESTED = 50
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<text>'(?:[^'\\]|''|\\'|\\)*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<word>[^\W\d][\w.:]*)
    | (?P<sign><>|<=|>=|!=|[=<>(),+\-*/%^])
    """,
    re.VERBOSE,
)
_COMPARING = {"=", "<>", "<", "<=", ">", ">="}
_ARITHMETIC = {"+", "-", "*", "/", "%", "^", "DIV"}
#: Words that are none of a property, unless in double quotes.
_RESERVED = {"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "DIV"}
_LITERALS = {"TRUE": True, "FALSE": False, "NULL": None}
_GEOMETRIES = {
    name.upper(): name for name in ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
}
_COLLECTION = "GEOMETRYCOLLECTION"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """Keyword or sign that it may be, in capitals."""
        return self.text.upper() if self.kind in ("word", "sign") else ""


def read_text(text: str) -> Any:
    """Read a filter: dictionaries, lists, texts, numbers, truth values and None, as CQL2 JSON has them.

    Raises
    ------
    UsageError
        If it is none, or more is nested than may be; with the character where reading ended.
    """
    reader = _Reader(_tokens(text))
    found = reader.either()
    if reader.next.kind != "end":
        reader.refuse()
    return found


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            key = "filters.no_end" if text[at] in "'\"" else "filters.cannot_stand"
            raise UsageError(key, found=text[at : at + 20], position=at + 1)
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._place, self._nested = tokens, 0, 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._place]

    def take(self) -> _Token:
        token = self.next
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def takes(self, *words: str) -> bool:
        """Whether these words come next; if so they are taken."""
        coming = self._tokens[self._place : self._place + len(words)]
        if [one.word for one in coming] != list(words):
            return False
        self._place += len(words)
        return True

    def need(self, sign: str) -> None:
        if not self.takes(sign):
            self.refuse()

    def refuse(self) -> NoReturn:
        token = self.next
        if token.kind == "end":
            raise UsageError("filters.ends_early", position=token.at + 1)
        raise UsageError("filters.cannot_stand", found=token.text[:40], position=token.at + 1)

    def deeper(self) -> None:
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise UsageError("filters.too_deep", most=MOST_NESTED)

    def either(self) -> Any:
        return self._chain("OR", self._both)

    def _both(self) -> Any:
        return self._chain("AND", self._negated)

    def _chain(self, word: str, part: Any) -> Any:
        parts = [part()]
        while self.takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else {"op": word.lower(), "args": parts}

    def _negated(self) -> Any:
        count = 0
        while self.takes("NOT"):
            self.deeper()
            count += 1
        found = self._predicate()
        for _ in range(count):
            found = _not(found)
        self._nested -= count
        return found

    def _predicate(self) -> Any:
        left = self._operand()
        sign = self.next.word.replace("!=", "<>")
        if sign in _COMPARING:
            self.take()
            return {"op": sign, "args": [left, self._operand()]}
        if self.takes("IS", "NOT", "NULL"):
            return _not({"op": "isNull", "args": [left]})
        if self.takes("IS", "NULL"):
            return {"op": "isNull", "args": [left]}
        is_denied = self.takes("NOT")
        found = self._ranged(left)
        if found is None and is_denied:
            self.refuse()
        return left if found is None else _not(found) if is_denied else found

    def _ranged(self, left: Any) -> Any:
        if self.takes("LIKE"):
            return {"op": "like", "args": [left, self._operand()]}
        if self.takes("BETWEEN"):
            low = self._operand()
            self.need("AND")
            return {"op": "between", "args": [left, low, self._operand()]}
        if self.takes("IN"):
            self.need("(")
            return {"op": "in", "args": [left, self._until_closed(self._operand)]}
        return None

    def _operand(self) -> Any:
        found = self._signed()
        if self.next.word in _ARITHMETIC:
            raise UsageError("filters.computes")
        return found

    def _signed(self) -> Any:
        is_negative, count = False, 0
        while self.next.word in ("-", "+"):
            self.deeper()
            count += 1
            is_negative ^= self.take().word == "-"
        if count and self.next.kind != "number":
            raise UsageError("filters.computes")
        self._nested -= count
        if self.next.kind != "number":
            return self._primary()
        number = _number(self.take().text)
        return -number if is_negative else number

    def _primary(self) -> Any:
        token = self.next
        if token.kind == "text":
            return re.sub(r"''|\\'", "'", self.take().text[1:-1])
        if token.kind == "quoted":
            return {"property": self.take().text[1:-1].replace('""', '"')}
        if token.word == "(":
            self.take()
            found = self._until_closed(self.either)
            return found[0] if len(found) == 1 else found
        if token.kind != "word" or token.word in _RESERVED:
            self.refuse()
        self.take()
        if token.word in _LITERALS:
            return _LITERALS[token.word]
        if self.next.word == "(" or (self._is_geometry(token) and self.next.word in ("Z", "EMPTY")):
            return self._called(token)
        return {"property": token.text}

    def _is_geometry(self, token: _Token) -> bool:
        return token.word.removesuffix("Z") in _GEOMETRIES or token.word.removesuffix("Z") == _COLLECTION

    def _called(self, token: _Token) -> Any:
        if self._is_geometry(token):
            return self._geometry(token.word.removesuffix("Z"))
        self.need("(")
        arguments = self._until_closed(self.either)
        if token.word == "BBOX":
            return {"bbox": arguments}
        if token.word in ("DATE", "TIMESTAMP", "INTERVAL"):
            return {token.word.lower(): arguments}
        return {"op": token.text, "args": arguments}

    def _until_closed(self, part: Any) -> list[Any]:
        """Parts between commas, and the bracket that closes them."""
        self.deeper()
        found = []
        if not self.takes(")"):
            found.append(part())
            while self.takes(","):
                found.append(part())
            self.need(")")
        self._nested -= 1
        return found

    def _geometry(self, kind: str) -> Any:
        self.takes("Z")
        self.need("(")
        if kind == _COLLECTION:
            return {"type": "GeometryCollection", "geometries": self._until_closed(self._member)}
        parts = self._until_closed(self._part)
        if kind == "POINT":
            parts = parts[0] if len(parts) == 1 else parts
        if kind == "MULTIPOINT":
            # Each point may stand in brackets of its own.
            parts = [part[0] if part and isinstance(part[0], list) else part for part in parts]
        return {"type": _GEOMETRIES[kind], "coordinates": parts}

    def _member(self) -> Any:
        token = self.next
        if not self._is_geometry(token):
            self.refuse()
        self.take()
        return self._geometry(token.word.removesuffix("Z"))

    def _part(self) -> Any:
        """Take a position, or a list of parts."""
        if self.takes("("):
            return self._until_closed(self._part)
        position = []
        while self.next.kind == "number" or self.next.word in ("-", "+"):
            position.append(self._signed())
        return position or self.refuse()


def _not(inner: Any) -> dict[str, Any]:
    return {"op": "not", "args": [inner]}


def _number(text: str) -> int | float:
    number = int(text) if text.isdigit() else float(text)
    if number > sys.float_info.max:
        raise UsageError("filters.too_large", found=text[:40])
    return number
