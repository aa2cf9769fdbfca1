"""A program started through here dies with the one that started it, even when that was SIGKILLed.

Run as `python -I -S leash.py PARENT SIGNAL USER PROGRAM ARGUMENT...`, by path: it imports nothing
but the standard library. The order below matters: a change of user clears the death signal, and a
parent that died before the signal was set would never send it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, user, *program = sys.argv[1:]
    if int(user) != os.geteuid():
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the death signal cannot be set")
    if os.getppid() != int(parent):
        sys.exit("the program that asked for this one has already gone")
    os.execv(program[0], program)  # noqa: S606 - no shell: the program itself


if __name__ == "__main__":
    main()
