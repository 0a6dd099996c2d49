"""The kernel's session keyring, which is no file and is inherited: whoever has it reads the keys in
it (keyctl(1), Kerberos, ecryptfs, fscrypt). Standard library only.
"""

import ctypes
import errno
import os

# Numbers of the system call; C libraries have no name for it.
_KEYCTL = {"x86_64": 250, "i686": 288, "armv7l": 311, "ppc64le": 271, "s390x": 280}
_KEYCTL |= dict.fromkeys(("aarch64", "riscv64", "loongarch64"), 219)
_JOIN_SESSION_KEYRING = 1
# The kernel has none, or keeps us from it by a filter, which what we start inherits.
_NOT_HERE = {errno.ENOSYS, errno.EPERM, errno.EACCES}


def new_session_keyring() -> None:
    """A new and empty one, of this thread and of what it starts from now on. Raises OSError when
    there is one that would stay.
    """
    number = _KEYCTL.get(os.uname().machine)
    if number is None or os.uname().sysname != "Linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, _JOIN_SESSION_KEYRING, None) < 0:
        found = ctypes.get_errno()
        if found not in _NOT_HERE:
            raise OSError(found, f"no session keyring of its own: {os.strerror(found)}")
