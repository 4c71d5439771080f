# Runs a program to which the kernel refuses netlink sockets, as sandboxes do: refuse-netlink.py ERRNO PROGRAM WORDS...
import ctypes
import os
import platform
import struct
import sys

SOCKET_CALL = {"x86_64": 41, "aarch64": 198}[platform.machine()]
AF_NETLINK = 16
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000
# Offsets in struct seccomp_data: the call's number, the low half of its first argument.
NUMBER, FIRST_ARGUMENT = 0, 16

errno = int(sys.argv[1])
program = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in [
        (LOAD_WORD, 0, 0, NUMBER),
        (JUMP_IF_EQUAL, 0, 3, SOCKET_CALL),
        (LOAD_WORD, 0, 0, FIRST_ARGUMENT),
        (JUMP_IF_EQUAL, 0, 1, AF_NETLINK),
        (RETURN, 0, 0, FAIL_WITH | errno),
        (RETURN, 0, 0, ALLOW),
    ]
)
instructions = ctypes.create_string_buffer(program, len(program))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
loaded = Program(len(program) // 8, ctypes.addressof(instructions))
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(loaded)):
    raise OSError(ctypes.get_errno(), "prctl")
os.execvp(sys.argv[2], sys.argv[2:])
