"""Take the file of a request in, as it comes, onto the disk: never whole in memory, never beyond the limit."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import anyio
import anyio.to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from gridmap.errors import Place, StoreError, TooLarge, UnreadableFile, UsageError
from gridmap.store.uploads import stored_name

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

#: Longest name of a file.
LONGEST_NAME = 255
#: Bytes gathered before they are written.
_GATHERED = 1 << 20
#: What a form may add to its file: boundaries and headers.
_FORM_ROOM = 1 << 16
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNNAMED = "upload"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How slowly a file may come in.

    Attributes
    ----------
    idle_s : longest silence, seconds
    least_rate : bytes a second that it must reach on average, once it took longer than ``idle_s``
    """

    idle_s: float = 30.0
    least_rate: float = 1_000.0


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in whole."""

    path: Path
    name: str
    bytes: int
    sha256: str


async def receive(
    request: Request, folder: Path, name: str | None, limit: int, patience: Patience | None = None
) -> Received:
    """Write the file of a request into a folder.

    Parameters
    ----------
    name : that the address gives the file; it goes before what headers say
    limit : bytes

    Raises
    ------
    TooLarge
        If it is, or says that it is, larger than the limit.
    UsageError
        If the request is no way to send a file, or breaks off.
    UnreadableFile
        If it is empty.
    StoreError
        If the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    is_form = kind == b"multipart/form-data"
    if (kind.startswith(b"multipart/") and not is_form) or kind == b"application/x-www-form-urlencoded":
        raise UsageError("uploads.not_a_form", said=kind.decode("latin-1"))
    most = limit + (_FORM_ROOM if is_form else 0)
    _check_headers(request, most)
    chunks = _chunks(request, most, patience or Patience())
    if is_form:
        form = _Form(options.get(b"boundary", b""))
        first = await form.begin(chunks)
        given = name or form.name
        chunks = form.rest(first, chunks)
    else:
        given = name or _name_in(request.headers.get("content-disposition"))
    shown = checked_name(given)
    path = folder / stored_name(shown)
    with disk_faults_named(), path.open("xb") as stream:
        sink = _Sink(stream, limit)
        async for chunk in _gathered(chunks):
            await anyio.to_thread.run_sync(sink.take, chunk)
        await anyio.to_thread.run_sync(sink.finish)
    if not sink.bytes:
        raise UnreadableFile("inputs.empty_file", Place(file=shown), size=0)
    return Received(path, shown, sink.bytes, sink.hash.hexdigest())


def checked_name(given: str | None) -> str:
    """Name of a file as it is shown: the last part of a path.

    Raises
    ------
    UsageError
        If it is too long or has control characters.
    """
    name = re.split(r"[/\\]", given or "")[-1].strip()
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in given or ""):
        raise UsageError("uploads.bad_name")
    if len(name) > LONGEST_NAME:
        raise UsageError("uploads.long_name", length=f"{len(name):,}", limit=LONGEST_NAME)
    return name if name.strip(".") else _UNNAMED


@contextmanager
def disk_faults_named() -> Iterator[None]:
    """Raise ``StoreError`` for a disk that is full or cannot be written."""
    try:
        yield
    except OSError as fault:
        key = "uploads.disk_full" if fault.errno in _FULL else "uploads.disk_failed"
        raise StoreError(key) from fault


class _Sink:
    """A file that is written, counted and hashed."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._limit = stream, limit
        self.bytes, self.hash = 0, hashlib.sha256()

    def take(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        if self.bytes > self._limit:
            raise _too_large(f"> {self._limit / 1e6:,.0f}", self._limit)
        self.hash.update(chunk)
        self._stream.write(chunk)

    def finish(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _too_large(size_mb: str, limit: int) -> TooLarge:
    return TooLarge("uploads.too_large", size_mb=size_mb, limit_mb=f"{limit / 1e6:,.0f}")


def _check_headers(request: Request, limit: int) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UsageError("uploads.encoded", encoding=encoding[:40])
    length = request.headers.get("content-length")
    if length is not None:
        if not (length.isascii() and length.isdecimal()):
            raise UsageError("uploads.bad_length", said=length[:40])
        if int(length) > limit:
            raise _too_large(f"{int(length) / 1e6:,.0f}", limit)


async def _chunks(request: Request, most: int, patience: Patience) -> AsyncIterator[bytes]:
    """Yield the content as it comes, until it ends whole."""
    stream = request.stream()
    received, began = 0, time.monotonic()
    while True:
        try:
            with anyio.fail_after(patience.idle_s):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise _stalled(received, began) from None
        except ClientDisconnect:
            raise UsageError("uploads.broken_off", received=f"{received:,}") from None
        if chunk is None:
            return
        received += len(chunk)
        if received > most:
            raise _too_large(f"> {most / 1e6:,.0f}", most)
        took = time.monotonic() - began
        if took > patience.idle_s and received < patience.least_rate * took:
            raise _stalled(received, began)
        if chunk:
            yield chunk


def _stalled(received: int, began: float) -> UsageError:
    return UsageError("uploads.stalled", received=f"{received:,}", seconds=f"{time.monotonic() - began:.0f}")


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield fewer, larger chunks."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _GATHERED:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _name_in(disposition: str | None) -> str | None:
    """Name that a Content-Disposition gives: ``filename*`` in its encoding, else ``filename`` in UTF-8 or GB18030."""
    if not disposition:
        return None
    message = Message()
    message["Content-Disposition"] = disposition
    name = message.get_filename()
    return None if name is None else _text_of(name.encode("latin-1")) if _is_latin(name) else name


def _is_latin(text: str) -> bool:
    return all(ord(sign) < 256 for sign in text)


def _text_of(name: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("latin-1")


class _Form:
    """A form with the one field ``file``, read as it comes."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise UsageError("uploads.broken_form", reason="boundary")
        self.name: str | None = None
        self._files = 0
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._disposition = b""
        self._data: list[bytes] = []
        self._is_whole = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._on_part_begin,
            "on_part_data": self._on_part_data,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_end": self._on_end,
        }
        self._parser = _parsing(lambda: MultipartParser(boundary, callbacks))

    async def begin(self, chunks: AsyncIterator[bytes]) -> list[bytes]:
        """Read up to where the file begins; what of it came along is returned."""
        async for chunk in chunks:
            data = self._parse(chunk)
            if self._files:
                return data
        raise UsageError("uploads.one_file")

    async def rest(self, first: list[bytes], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the file, and see that the form ends as forms do."""
        for data in first:
            yield data
        async for chunk in chunks:
            for data in self._parse(chunk):
                yield data
        if not self._is_whole:
            raise UsageError("uploads.broken_form", reason="end")

    def _parse(self, chunk: bytes) -> list[bytes]:
        _parsing(lambda: self._parser.write(chunk))
        data, self._data = self._data, []
        return data

    def _on_part_begin(self) -> None:
        self._header, self._disposition = (b"", b""), b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _on_header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = (b"", b"")

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        self._files += 1
        if self._files > 1 or options.get(b"name") != b"file" or b"filename" not in options:
            raise UsageError("uploads.one_file")
        self.name = _text_of(options[b"filename"])

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _on_end(self) -> None:
        self._is_whole = True


def _parsing(act: Callable[[], Result]) -> Result:
    try:
        return act()
    except FormParserError as fault:
        raise UsageError("uploads.broken_form", reason=str(fault)[:200]) from None
