"""The whole platform of one var folder: servers, sandbox, services and gateway under one roof."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from deploy.local.bank_keys import ensure_bank_keys
from deploy.local.process import SetupFailed
from deploy.local.programs import embedded_kafka, embedded_postgres, platform_programs
from deploy.local.settings import LocalSettings, read_settings
from deploy.local.supervisor import Supervisor
from services.common.kit.keys import ensure_keys


class Platform(Supervisor):
    """Several run side by side when each has a var folder and ports (`free_port_env`) of its own.

    `only` names the programs to keep (all by default); `extra_env` adds to single programs.
    """

    settings: LocalSettings

    def __init__(
        self,
        var_dir: Path,
        env: Mapping[str, str],
        *,
        only: Collection[str] | None = None,
        extra_env: Mapping[str, Mapping[str, str]] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = read_settings(env, var_dir)
        programs = platform_programs(self.settings, env, say)
        unknown = set(only or ()) - {program.name for program in programs}
        if unknown:
            raise SetupFailed(f"no such program: {', '.join(sorted(unknown))}")
        super().__init__(
            [program for program in programs if only is None or program.name in only],
            self.settings.var_dir,
            extra_env=extra_env,
            start_timeout_s=self.settings.start_timeout_s,
            stop_timeout_s=self.settings.stop_timeout_s,
            say=say,
        )

    async def start(self) -> None:
        ensure_keys(self.settings.var_dir / "keys")
        ensure_bank_keys(self.settings.var_dir / "keys")
        await super().start()

    @property
    def kafka_bootstrap(self) -> str:
        outside = self.settings.kafka_bootstrap_servers
        return outside or embedded_kafka(self.settings).bootstrap

    def database_url(self, name: str, driver: str = "postgresql+asyncpg") -> str:
        outside = self.settings.database_urls.get(name)
        return outside or embedded_postgres(self.settings).url(name, name, driver)
