"""The kernel's session keyring, which is no file and is inherited: whoever has it reads the keys in
it (keyctl(1), Kerberos, ecryptfs, fscrypt). Standard library only.
"""

import ctypes
import errno
import os

# Numbers of add_key(2) and keyctl(2); C libraries have no names for them.
_CALLS = {
    "x86_64": (248, 250),
    "i686": (286, 288),
    "armv7l": (309, 311),
    "ppc64le": (269, 271),
    "s390x": (278, 280),
    **dict.fromkeys(("aarch64", "riscv64", "loongarch64"), (217, 219)),
}
_JOIN_SESSION_KEYRING, _SETPERM, _SET_TIMEOUT = 1, 5, 15
_SESSION_KEYRING = -3
_OF_POSSESSORS = 0x3F000000
# The kernel has none, or keeps us from it by a filter, which what we start inherits.
_NOT_HERE = {errno.ENOSYS, errno.EPERM, errno.EACCES}


def new_session_keyring() -> None:
    """A new and empty one, of this thread and of what it starts from now on. Raises OSError when
    there is one that would stay.
    """
    if _keyctl(_JOIN_SESSION_KEYRING, None) < 0:
        found = ctypes.get_errno()
        if found not in _NOT_HERE:
            raise OSError(found, f"no session keyring of its own: {os.strerror(found)}")


def add_key(name: str, seconds: int) -> None:
    """Into this thread's, for so long, seen by nobody but who has the keyring. Does nothing where
    there are none.
    """
    if os.uname().machine in _CALLS:
        call = _CALLS[os.uname().machine][0]
        word = name.encode()
        libc = ctypes.CDLL(None, use_errno=True)
        key = libc.syscall(call, b"user", word, word, len(word), _SESSION_KEYRING)
        if key > 0:
            _keyctl(_SETPERM, key, _OF_POSSESSORS)
            _keyctl(_SET_TIMEOUT, key, seconds)


def _keyctl(*args: int | None) -> int:
    """-1 with an errno for what went wrong."""
    if os.uname().sysname != "Linux" or os.uname().machine not in _CALLS:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(_CALLS[os.uname().machine][1], *args))
