"""Runs a job's program as a container would: /opt/ml is the job's own, and nothing outlives the server.

A program of its own, on the standard library alone. Its one argument is a JSON object:

    argv   the program and its arguments
    base   the directory that stands for /opt/ml
    stage  an empty directory to build /opt in, should it have no ml
    cwd    the working directory, as the container would name it
    replaced  files that it is to see in the place of the system's, by the latter's path
    mount  false never mounts

The program sees `base` at /opt/ml where the kernel lets this process mount (a mount namespace: as root,
or in a user namespace of its own). Elsewhere /opt/ml is replaced by the directory's real path in the
arguments and the environment, and that is said on standard error.

SIGTERM is passed on to the program. When the program ends, or standard input does (the server is gone,
or wants it gone), every process it started is killed. The exit status is the program's, 128 + N after
signal N, 127 when it could not be started.
"""

import contextlib
import ctypes
import json
import os
import re
import signal
import sys
import threading
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_OPT, _OPT_ML = "/opt", "/opt/ml"
_CANNOT_START = 127
# Where a path ends: /opt/mlflow is another directory.
_MENTION = re.compile(r"/opt/ml(?![\w.-])")


def main() -> None:
    """Run the program that the argument describes, and end with its status."""
    spec = json.loads(sys.argv[1])
    server = os.getppid()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    problem = _probe(spec) if spec.get("mount", True) else "it was told not to"
    child = os.fork()
    if child == 0:
        _become(spec, problem)
    signal.signal(signal.SIGTERM, lambda *_: _send(child, signal.SIGTERM))
    threading.Thread(target=_end_with_server, args=(server,), daemon=True).start()
    status = _wait_for(child)
    _kill_descendants()
    sys.stdout.flush()
    os._exit(status)


def _become(spec: dict[str, Any], problem: str) -> NoReturn:
    """Turn this process, freshly forked, into the program."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        argv, environment, cwd = spec["argv"], dict(os.environ), spec["cwd"]
        if problem:
            base = spec["base"]
            _say(f"/opt/ml cannot be mounted here ({problem}): it is replaced by {base} in what it is given")
            argv = [_MENTION.sub(base, argument) for argument in argv]
            environment = {name: _MENTION.sub(base, value) for name, value in environment.items()}
            cwd = _MENTION.sub(base, cwd)
        else:
            _mount(spec)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - what this program is for
    except OSError as error:
        _say(f"cannot run {spec['argv'][0]}: {error.strerror or error}")
    finally:
        os._exit(_CANNOT_START)


def _probe(spec: dict[str, Any]) -> str:
    """Why /opt/ml cannot be mounted here, or "": tried in a process of its own, which leaves no trace."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _mount(spec)
        except OSError as error:
            os.write(writing, f"{error.strerror or error}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        problem = answer.read()
    os.waitpid(child, 0)
    return problem


def _mount(spec: dict[str, Any]) -> None:
    """Put `base` at /opt/ml in a mount namespace of this process's own; raises OSError."""
    _unshare()
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    if not os.path.isdir(_OPT_ML):  # noqa: PTH112 - pathlib is slow to import, and this starts every job
        _stage(spec["stage"])
    _bind(spec["base"], _OPT_ML)
    for path, source in spec.get("replaced", {}).items():
        if os.path.exists(path):  # noqa: PTH110
            _bind(source, path)


def _unshare() -> None:
    try:
        _call("unshare", _CLONE_NEWNS)
    except OSError as refused:
        # In a user namespace of its own a process may mount; it stays who it is.
        user, group = os.geteuid(), os.getegid()
        try:
            _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS)
        except OSError:
            raise refused from None  # the plainer of the two reasons
        for name, line in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
                file.write(line)


def _stage(stage: str) -> None:
    """An /opt like the one there is, with an ml in it: the real one is not touched."""
    _call("mount", b"tmpfs", os.fsencode(stage), b"tmpfs", 0, None)
    for name in os.listdir(_OPT):  # noqa: PTH208
        real, copy = f"{_OPT}/{name}", f"{stage}/{name}"
        if os.path.islink(real):  # noqa: PTH114
            os.symlink(os.readlink(real), copy)  # noqa: PTH211, PTH115
        else:
            if os.path.isdir(real):  # noqa: PTH112
                os.mkdir(copy)  # noqa: PTH102
            else:
                open(copy, "w").close()  # noqa: PTH123
            _bind(real, copy)
    os.mkdir(f"{stage}/ml")  # noqa: PTH102
    _bind(stage, _OPT)


def _bind(source: str, target: str) -> None:
    _call("mount", os.fsencode(source), os.fsencode(target), None, _MS_BIND | _MS_REC, None)


def _call(function: str, *arguments: Any) -> None:
    """A function of the C library; raises OSError, also where there is no such function."""
    try:
        called = getattr(ctypes.CDLL(None, use_errno=True), function)
    except AttributeError as error:
        raise OSError(f"this system has no {function}") from error
    if called(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError):  # Linux only; elsewhere the process group has to do
        _call("prctl", option, value, 0, 0, 0)


def _wait_for(child: int) -> int:
    """Reap whatever ends until the program has; orphans of its own children come here too."""
    while True:
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:  # the thread that follows the server has killed it, and reaped it first
            return 128 + signal.SIGKILL
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def _end_with_server(server: int) -> None:
    # The descriptor, not sys.stdin: a thread that holds its buffer would make a normal end a fatal error.
    with contextlib.suppress(OSError):
        while os.read(0, 1024) and os.getppid() == server:
            pass
    _kill_descendants()
    os._exit(128 + signal.SIGKILL)


def _kill_descendants() -> None:
    """Kill every process below this one, until there is none: each kill may hand its children over."""
    while True:
        below = _descendants()
        if not below:
            return
        for process in below:
            _send(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _descendants() -> list[int]:
    """Every process below this one that has not been reaped; none where there is no /proc."""
    parents: dict[int, int] = {}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):  # noqa: PTH208
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat") as file:  # noqa: PTH123
                parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while True:
        more = {process for process, parent in parents.items() if parent in found} - found
        if not more:
            return [process for process in found if process != os.getpid()]
        found |= more


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _say(text: str) -> None:
    os.write(2, f"[local sagemaker] {text}\n".encode())


if __name__ == "__main__":
    main()
