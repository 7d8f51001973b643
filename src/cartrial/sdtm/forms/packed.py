"""How is a compressed file unpacked, so that a small one cannot fill the memory?"""

from __future__ import annotations

import io
import zlib

from cartrial.errors import InputError

__all__ = ["unpacked"]

# What a file may unpack to: text of trials shrinks to a twentieth, blank-padded SAS files to a hundredth. Unit: bytes.
ALWAYS, RATIO, NEVER = 64 * 2**20, 200, 2**30
# zlib tells gzip and zlib by their first bytes; a bare stream has none.
_TOLD, _BARE = 47, -15


def unpacked(data: bytes, file: str) -> bytes:
    """Return what gzip, zlib or deflate bytes hold; several gzip members one after the other are one file.

    Raises
    ------
    InputError
        If the file is no such file, is cut off, or unpacks to far more than data of trials do.
    """
    if not data:
        raise InputError("the file is empty", file=file, right="Write or copy it again")
    known = data[:2] == b"\x1f\x8b" or (data[0] & 0x0F == 8 and len(data) > 1 and int.from_bytes(data[:2], "big") % 31 == 0)
    limit = min(NEVER, max(ALWAYS, RATIO * len(data)))
    out = io.BytesIO()
    while data:
        stream = zlib.decompressobj(_TOLD if known else _BARE)
        try:
            out.write(stream.decompress(data, limit + 1 - out.tell()))
        except zlib.error:
            raise InputError("the file cannot be unpacked", file=file, right="Write or copy it again") from None
        if out.tell() > limit:
            raise InputError(
                f"the file unpacks to more than {limit // 2**20} MB", file=file, right="Unpack it, and see whether it is what it says"
            )
        if not stream.eof:
            raise InputError("the file is cut off", file=file, right="Write or copy it again")
        data = stream.unused_data.lstrip(b"\0")
    return out.getvalue()
